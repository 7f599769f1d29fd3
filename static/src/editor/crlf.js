// The editor keeps lines, not how they ended: that CRLF was pasted is only known as it happens.
import { EditorView } from "@codemirror/view";

export const crlf = (form) =>
  EditorView.domEventHandlers({
    paste: (event) => {
      if (event.clipboardData?.getData("text/plain").includes("\r\n")) {
        form.elements.crlf.value = "1";
        document.getElementById("crlf-notice").hidden = false;
      }
      return false; // the editor pastes
    },
  });
