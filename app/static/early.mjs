/**
 * Photos that people drop, paste or choose, from the first moment on: what comes before the
 * interface is up is kept and handed over in order.
 */
export class Intake {
  files = [];
  /** Whether the person has done anything yet; nothing may reload the page under their hands. */
  touched = false;
  #taker = null;
  #begin;
  /** Resolves once somebody takes the files: the interface is up. */
  taken = new Promise((resolve) => {
    this.#begin = resolve;
  });

  constructor() {
    const touch = () => {
      this.touched = true;
    };
    for (const kind of ["pointerdown", "keydown", "drop", "paste", "change"]) {
      document.addEventListener(kind, touch, { capture: true, passive: true });
    }
    document.addEventListener("change", (event) => this.#chosen(event));
    document.addEventListener("paste", (event) => this.#offer(event.clipboardData, event));
    document.addEventListener("drop", (event) => {
      mark(false);
      this.#offer(event.dataTransfer, event);
    });
    document.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      mark(true);
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) mark(false);
    });
  }

  /** From now on `taker` gets an array of files each time; first of all what waited. */
  take(taker) {
    this.#taker = taker;
    this.#begin();
    const waiting = this.files.splice(0);
    say("");
    if (waiting.length) taker(waiting);
  }

  #chosen(event) {
    const input = event.target;
    if (!input.matches?.('input[type="file"][data-task]')) return;
    const files = [...input.files];
    // Emptied, so that the same photo can be chosen again.
    input.value = "";
    this.#accept(files);
  }

  #offer(transfer, event) {
    const files = [...(transfer?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.#accept(files);
  }

  #accept(files) {
    if (!files.length) return;
    if (this.#taker) {
      this.#taker(files);
      return;
    }
    this.files.push(...files);
    const n = this.files.length;
    say(n === 1 ? `${files[0].name} is waiting its turn.` : `${n} photos are waiting their turn.`);
  }
}

function mark(on) {
  document.documentElement.toggleAttribute("data-dragging", on);
}

function say(text) {
  const place = document.getElementById("early");
  if (place) place.textContent = text;
}
