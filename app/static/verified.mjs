/**
 * Holds what comes of a file against the build's own list of files, while it is used already: a stream
 * that turns out to be something else ends with an error, as one that was cut does.
 *
 * @param {Response} response
 * @param {string} integrity as for the attribute of that name: of the file, and of what is in it
 * @param {() => void} whole called when all of it came, as it was built
 * @returns {Response}
 */
export function verified(response, integrity, whole) {
  const { subtle } = crypto;
  const pieces = [];
  const check = new TransformStream({
    transform(piece, controller) {
      pieces.push(piece);
      controller.enqueue(piece);
    },
    async flush() {
      if (!subtle) return whole(); // neither over https nor on this machine
      const bytes = await new Blob(pieces).arrayBuffer();
      const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
      const found = `sha256-${btoa(String.fromCharCode(...digest))}`;
      if (!integrity.split(" ").includes(found)) throw new Error("It is not what was built");
      whole();
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(check), { status, statusText, headers });
}
