/** x · (ln(floor((p + offset) / floorScale) + 1) · factor + 1), p being the row's position. */
export function positionScale(
  x: Float32Array,
  positions: ArrayLike<number>,
  floorScale: number,
  factor: number,
  offset: number,
): Float32Array {
  const width = x.length / positions.length;
  return x.map((value, i) => {
    const position = positions[Math.floor(i / width)];
    return value * (Math.log(Math.floor((position + offset) / floorScale) + 1) * factor + 1);
  });
}
