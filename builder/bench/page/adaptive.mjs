// What `bench adaptive` asks of the page: photos one after the other, and a line of them.
import { pixels } from "./arms.mjs";

const PICTURES = 4;
const made = new Map();

/** Some pictures of a size; made once, since making one takes as long as looking at it. */
function pictures(size) {
  if (!made.has(size))
    made.set(
      size,
      Array.from({ length: PICTURES }, (_, k) => pixels(size, k)),
    );
  return made.get(size);
}

const classify = (size, round) =>
  satchel.engine.call("classify", [pictures(size)[round % PICTURES], size, 1]);

const runs = (decision, { variant, threads }) =>
  decision?.variant === variant && decision.threads === threads;

function checked(decision, way) {
  if (runs(decision, way)) return;
  const told = decision ? `${decision.variant} on ${decision.threads}: ${decision.reason}` : "none";
  throw new Error(`${way.variant} on ${way.threads} threads was asked for, and ran ${told}`);
}

/** Label a photo again and again until it is done in this way: what that needs is loaded then. */
export async function warm(way, photo, most) {
  const blob = await (await fetch(photo)).blob();
  let decision;
  for (let round = 0; round < most && !runs(decision, way); round++)
    ({ decision } = await satchel.engine.call("label", [blob, 1]));
  checked(decision, way);
}

/** Label `count` pictures one after the other, each in this way: [ms, …]. */
export async function turn(way, count) {
  const took = [];
  for (let round = 0; round < count; round++) {
    const started = performance.now();
    const { decision } = await classify(way.resolution, round);
    took.push(performance.now() - started);
    checked(decision, way);
  }
  return took;
}

/** Label photos, each in this way: [class index, …]. */
export async function answers(way, photos) {
  const found = [];
  for (const photo of photos) {
    const blob = await (await fetch(photo)).blob();
    const { predictions, decision } = await satchel.engine.call("label", [blob, 1]);
    checked(decision, way);
    found.push(predictions[0].index);
  }
  return found;
}

/** Label pictures until a reason begins so, `most` at most: whether one did, and [ms, …]. */
export async function until(begins, size, most) {
  const took = [];
  for (let count = 1; count <= most; count++) {
    const started = performance.now();
    const { decision } = await classify(size, count);
    took.push(performance.now() - started);
    if (decision?.reason.startsWith(begins)) return [true, took];
  }
  return [false, took];
}

/** A line of pictures, or of one photo's file, `depth` of which always wait, until it is ended. */
export class Line {
  #answered = 0;
  #ended = false;
  #waiting = [];

  /** @param {object} way @param {number} depth @param {string | null} photo its URL */
  constructor(way, depth, photo) {
    const file = photo && fetch(photo).then((response) => response.blob());
    const ask = async () => {
      const whole = await file;
      const label = () =>
        whole ? satchel.engine.call("label", [whole, 1]) : classify(way.resolution, this.#answered);
      while (!this.#ended) {
        const { decision } = await label();
        checked(decision, way);
        this.#answered++;
        this.#waiting = this.#waiting.filter(({ count, resolve }) =>
          count > this.#answered ? true : resolve(),
        );
      }
    };
    this.over = Promise.all(Array.from({ length: depth }, ask));
  }

  /** Wait until so many have their answers; fails with whichever fails. */
  until(count) {
    if (this.#answered >= count) return undefined;
    return Promise.race([
      new Promise((resolve) => this.#waiting.push({ count, resolve })),
      this.over,
    ]);
  }

  /** Wait until none is left. */
  async end() {
    this.#ended = true;
    await this.over;
  }
}
