// Which of several models no other one beats in two ways at once.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Indices of the points that no other has at once a lower y and an x that is not worse, by rising x. `less`: smaller x is better, else greater. */
export function front(points: readonly Point[], less: boolean): number[] {
  const better = (a: Point, b: Point) => (less ? a.x <= b.x : a.x >= b.x) && a.y <= b.y && (a.x !== b.x || a.y !== b.y);
  return points
    .map((_, i) => i)
    .filter((i) => !points.some((p) => better(p, points[i])))
    .sort((i, j) => points[i].x - points[j].x);
}
