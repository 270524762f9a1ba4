/**
 * Holds what comes of a file against the build's own list of files, while it is used already: a stream
 * that turns out to be something else ends with an error, as one that was cut does.
 *
 * @param {Response} response
 * @param {string} integrity as for the attribute of that name: of the file, and of what is in it
 * @returns {Response}
 */
export function verified(response, integrity) {
  const { subtle } = crypto;
  if (!subtle || !response.body) return response; // neither over https nor on this machine
  const pieces = [];
  const check = new TransformStream({
    transform(piece, controller) {
      pieces.push(piece);
      controller.enqueue(piece);
    },
    async flush() {
      const bytes = await new Blob(pieces).arrayBuffer();
      const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
      const found = `sha256-${btoa(String.fromCharCode(...digest))}`;
      if (!integrity.split(" ").includes(found))
        throw new Error("It could not be fetched as it was built");
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(check), { status, statusText, headers });
}
