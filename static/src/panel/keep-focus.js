// Whoever has focused something in a part that changes has it focused afterwards.
import { signature } from "./signature.js";

export function keepFocus(part, change) {
  const focused = document.activeElement;
  const within = part.contains(focused) && focused !== part;
  const around = within ? ancestors(focused, part) : [];
  const sign = within && signature(focused);
  change();
  if (!within || part.contains(document.activeElement)) return;
  const again = [...part.querySelectorAll(focused.nodeName)].find(
    (each) => signature(each) === sign,
  );
  if (again) return again.focus({ preventScroll: true });
  // It is gone: the keyboard goes on from where it was, and Enter does nothing else instead.
  const place = around.find((each) => part.contains(each));
  if (!place.hasAttribute("tabindex")) place.tabIndex = -1;
  place.focus({ preventScroll: true });
}

function ancestors(element, part) {
  const found = [];
  for (let each = element; each !== part; each = each.parentElement) found.push(each.parentElement);
  return found;
}
