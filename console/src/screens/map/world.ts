// Land, borders and towns as GeoJSON, from Natural Earth (public domain) and GeoNames (CC BY 4.0); no server is asked for tiles.
import type { Feature, FeatureCollection, MultiLineString, Position } from 'geojson';
import { feature, mesh } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';

export interface World {
  land: FeatureCollection;
  borders: Feature<MultiLineString>;
  coast: Feature<MultiLineString>;
}

type Atlas = Topology<{ countries: GeometryCollection }>;

const POLE = -89.9;

/** A line goes on beyond 180 degrees instead of jumping back across the whole map. */
function unwrap(line: Position[]): Position[] {
  let shift = 0;
  let before: number | undefined;
  return line.map(([longitude = 0, latitude = 0]) => {
    if (before !== undefined) {
      if (longitude - before > 180) shift -= 360;
      else if (longitude - before < -180) shift += 360;
    }
    before = longitude;
    return [longitude + shift, latitude];
  });
}

/** A ring around the pole (Antarctica) is closed along the map's edge. */
function unwrapRing(ring: Position[]): Position[] {
  const flat = unwrap(ring);
  const [first] = flat[0] ?? [0];
  const [last] = flat.at(-1) ?? [0];
  if (first === undefined || last === undefined || Math.abs(first - last) < 180) return flat;
  const start = flat[0] ?? [first, POLE];
  return [...flat, [last, POLE], [first, POLE], start];
}

export function worldOf(atlas: Atlas): World {
  const { countries } = atlas.objects;
  const land = feature(atlas, countries) as FeatureCollection;
  for (const { geometry } of land.features) {
    if (geometry.type === 'Polygon') geometry.coordinates = geometry.coordinates.map(unwrapRing);
    else if (geometry.type === 'MultiPolygon')
      geometry.coordinates = geometry.coordinates.map((part) => part.map(unwrapRing));
  }
  const lines = (keep: (a: unknown, b: unknown) => boolean): Feature<MultiLineString> => {
    const geometry = mesh(atlas, countries, keep);
    geometry.coordinates = geometry.coordinates.map(unwrap);
    return { type: 'Feature', properties: {}, geometry };
  };
  return { land, borders: lines((a, b) => a !== b), coast: lines((a, b) => a === b) };
}

export async function coarseWorld(): Promise<World> {
  const { default: atlas } = await import('world-atlas/countries-50m.json');
  return worldOf(atlas as unknown as Atlas);
}

export async function fineWorld(): Promise<World> {
  const { default: atlas } = await import('world-atlas/countries-10m.json');
  return worldOf(atlas as unknown as Atlas);
}

/** Towns as points; `rank` is 0 for the largest: the less, the earlier it is written on the map. */
export async function places(): Promise<FeatureCollection> {
  const { default: lines } = await import('virtual:places');
  return {
    type: 'FeatureCollection',
    features: lines.split('\n').map((line, rank) => {
      const [name = '', longitude = 0, latitude = 0, people = 0, capital = 0] = line.split('\t');
      return {
        type: 'Feature',
        properties: { name, rank, people: Number(people), capital: Number(capital) },
        geometry: {
          type: 'Point',
          coordinates: [Number(longitude) / 1000, Number(latitude) / 1000],
        },
      };
    }),
  };
}
