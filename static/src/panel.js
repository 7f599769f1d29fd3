// What every page does once it is there, a file a concern.
import "./nonce.js";
import "./panel/news.js";
import "./panel/morph.js";
import "./panel/unchanged.js";
import "./panel/aloud.js";
import "./panel/signed-out.js";
import "./panel/once.js";
import "./panel/focus.js";
import "./panel/auto.js";
import "./panel/copy.js";
import "./panel/details.js";
import "./panel/matches.js";
import "./panel/passkey.js";
