/**
 * Counts an answer's bytes while they come: as many as came over the wire, if the host doesn't
 * compress.
 *
 * @param {Response} response
 * @param {(bytes: number) => void} tell hears of each piece
 * @param {() => void} [ended] hears of the end
 * @returns {Response}
 */
export function counted(response, tell, ended) {
  if (!response.body) return response;
  const counter = new TransformStream({
    transform(piece, controller) {
      tell(piece.length);
      controller.enqueue(piece);
    },
    flush: ended,
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
}
