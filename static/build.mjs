// Builds what a browser loads, static/dist, from static/src.
import { copyFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const parts = ["theme.js", "panel.js", "panel.css", "editor.js", "terminal.js"];

rmSync(here("dist"), { recursive: true, force: true });
await build({
  entryPoints: parts.map((part) => ({
    in: here(`src/${part}`),
    out: part.replace(/\.[a-z]+$/, ""),
  })),
  outdir: here("dist"),
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  loader: { ".woff": "file", ".woff2": "file", ".svg": "dataurl" },
  assetNames: "fonts/[name]-[hash]",
  logLevel: "warning",
});
for (const drawing of ["icons.svg", "logo.svg"])
  copyFileSync(here(`src/${drawing}`), here(`dist/${drawing}`));
