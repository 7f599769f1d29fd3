// News over a websocket makes htmx fetch the fragments they are about.
import { keepOpen } from "../socket.js";
import { ring } from "./ring.js";

if (document.body.dataset.news) {
  const notice = document.getElementById("offline");
  let missed = false;
  keepOpen({
    url: () => document.body.dataset.news,
    opened: () => {
      notice.hidden = true;
      if (missed) ring("news", "news-gap"); // whatever happened meanwhile
      missed = false;
    },
    lost: () => {
      notice.hidden = false;
      missed = true;
    },
    received: (data) => {
      const { type, ctid, operation, usage } = JSON.parse(data);
      if (usage) return ring("news-usage");
      ring("news");
      if (type === "tick") ring("news-gap");
      if (ctid) ring(`news-ct-${ctid}`);
      if (operation) ring(`news-operation-${operation}`);
    },
  });
}
