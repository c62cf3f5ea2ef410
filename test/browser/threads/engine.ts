/** A page's worker that computes jobs with helpers, and posts what came of it. */
import { placeMatrices } from "../../../src/cpu/wasm/place.ts";
import { makeRooms } from "../../../src/cpu/wasm/rooms.ts";
import { threadsFor } from "../../../src/cpu/wasm/threads/start.ts";

async function jobs(): Promise<string> {
  const places = placeMatrices([], undefined, {
    first: [2 ** 18, 2 ** 18],
    anywhere: [],
    width: 64,
    positions: 0,
  });
  const [{ buffer, pool }] = await makeRooms([], places, threadsFor(3));
  if (!pool) return "1 thread";
  const trouble = await pool.settle(() => {}, 0);
  const all = pool.threads;
  if (trouble) return trouble;
  const [from, to] = places.areas.map(({ at }) => new Int32Array(buffer, at, 2 ** 16));
  const split = { count: 3, steps: [64, 64, 0, 0, 0, 0], lanes: [0, 0, 0, 0, 0, 0] };
  for (let job = 1; job <= 300; job++) {
    const rows = 1 + ((job * 131) % 900);
    from.subarray(0, 16 * rows).fill(job);
    pool.rows(0, "move", [to.byteOffset, from.byteOffset, 64, rows, 64, 64], split);
    for (let i = 0; i < 16 * rows; i++) if (to[i] !== job) return `job ${job} is not whole`;
  }
  pool.end();
  return `${all} threads`;
}

jobs().then(postMessage, (error) => postMessage(String(error)));
