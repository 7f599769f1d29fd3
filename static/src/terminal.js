// The log of an operation in a terminal, in the place of the text that is there without JavaScript.
import "./nonce.js";
import { follow } from "./terminal/follow.js";
import { keys } from "./terminal/keys.js";
import { open } from "./terminal/open.js";
import { receive } from "./terminal/receive.js";
import { search } from "./terminal/search.js";
import { wrap } from "./terminal/wrap.js";

const log = document.getElementById("log");
if (log) {
  const part = (name) => log.querySelector(`[data-part=${name}]`);
  const terminal = open(part("screen"), { instead: part("text"), tools: part("tools") });
  wrap(terminal, part("wrap"), part("screen"));
  keys(terminal, search(terminal, part));
  const arrived = follow(terminal, part("latest"));
  addEventListener("pagehide", receive(terminal, log, part("lost"), arrived));
}
