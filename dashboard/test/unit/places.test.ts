import { expect, test } from "vitest";
import { clustered, degrees, extentOf, graticule, Projection, type Placed } from "../../src/lib/places.ts";

const at = (latitude: number, longitude: number, id = `${latitude},${longitude}`): Placed => ({ id, name: id, latitude, longitude });

test("all places are within the extent, also a single one and none", () => {
  for (const places of [[at(44.9, -93.2), at(45.1, -92.9)], [at(0, 0)], [at(90, 180), at(-90, -180)]]) {
    const projection = new Projection(extentOf(places), 600, 400);
    expect(clustered(places, projection, 1).flatMap((one) => one.members)).toHaveLength(places.length);
  }
  expect(extentOf([])).toEqual({ west: -180, east: 180, south: -90, north: 90 });
});

test("north is up and east is right", () => {
  const projection = new Projection(extentOf([at(10, 10), at(20, 20)]), 600, 400);
  expect(projection.y(20)).toBeLessThan(projection.y(10));
  expect(projection.x(20)).toBeGreaterThan(projection.x(10));
});

test("neighbours become one, and nobody is lost", () => {
  const places = Array.from({ length: 10_000 }, (_, n) => at(45 + (n % 100) / 1000, -93 + Math.floor(n / 100) / 1000, `t${n}`));
  const found = clustered(places, new Projection(extentOf(places), 800, 400), 40);
  expect(found.length).toBeLessThan(250);
  expect(found.reduce((sum, one) => sum + one.members.length, 0)).toBe(10_000);
});

test("the graticule has round degrees", () => {
  expect(graticule(44.91, 45.32, 5)).toEqual([45, 45.1, 45.2, 45.3]);
  expect([degrees(-93.25, "longitude", 0.05), degrees(45, "latitude", 1), degrees(0, "latitude", 1)]).toEqual(["93.25° W", "45° N", "0°"]);
});
