// Files that the build has packed with gzip, so that they are small whatever a server does.

/**
 * @param {string | URL} where
 * @returns {Promise<ArrayBuffer>}
 */
export async function unpacked(where) {
  const answer = await fetch(where).catch(() => null);
  if (!answer?.ok) throw new Error(`${where} cannot be loaded; check the connection and load the page again`);
  const bytes = await answer.arrayBuffer();
  const [first, second] = new Uint8Array(bytes, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return bytes; // the server has unpacked it
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
