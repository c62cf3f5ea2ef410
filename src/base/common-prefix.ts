/** Length of the longest common beginning of two lists or texts. */
export function commonPrefix(a: ArrayLike<number | string>, b: ArrayLike<number | string>): number {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a[n] === b[n]) n++;
  return n;
}
