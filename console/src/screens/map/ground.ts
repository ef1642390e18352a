// The ground of the map: MapLibre with a style that names no server. It is fetched when the map is first shown.
import {
  GeoJSONSource,
  Map as MapLibre,
  NavigationControl,
  setWorkerUrl,
  type StyleSpecification,
} from 'maplibre-gl';
import 'maplibre-gl/dist/maplibre-gl.css';
import './map.css';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import { coarseWorld, fineWorld, places, type World } from './world';

setWorkerUrl(workerUrl);

const FINE_FROM_ZOOM = 4;
const FARTHEST = 1;
const NEAREST = 11;
const FONT = ['Inter Variable'];

const EMPTY = { type: 'FeatureCollection' as const, features: [] };

/** A colour of the theme as MapLibre can read it. */
function colour(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function paint() {
  return {
    sea: colour('--map-sea'),
    land: colour('--map-land'),
    border: colour('--map-border'),
    coast: colour('--map-coast'),
    name: colour('--muted'),
    halo: colour('--map-land'),
  };
}

function styleOf(): StyleSpecification {
  const now = paint();
  const source = { type: 'geojson' as const, data: EMPTY };
  return {
    version: 8,
    sources: { land: source, borders: source, coast: source, places: source },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': now.sea } },
      {
        id: 'land',
        type: 'fill',
        source: 'land',
        paint: { 'fill-color': now.land, 'fill-antialias': false },
      },
      {
        id: 'coast',
        type: 'line',
        source: 'coast',
        paint: { 'line-color': now.coast, 'line-width': 0.8 },
      },
      {
        id: 'borders',
        type: 'line',
        source: 'borders',
        paint: { 'line-color': now.border, 'line-width': 1 },
      },
      {
        id: 'places',
        type: 'symbol',
        source: 'places',
        // The farther away, the fewer towns.
        filter: [
          'any',
          ['all', ['==', ['get', 'capital'], 1], ['>=', ['zoom'], 3]],
          [
            '<',
            ['get', 'rank'],
            ['interpolate', ['exponential', 2], ['zoom'], 1, 12, 4, 300, 6, 3000, 8, 30000],
          ],
        ],
        layout: {
          'text-field': ['get', 'name'],
          'text-font': FONT,
          'text-size': [
            'interpolate',
            ['linear'],
            ['log10', ['max', ['get', 'people'], 10]],
            4,
            11,
            7,
            14,
          ],
          'symbol-sort-key': ['get', 'rank'],
          'text-padding': 6,
          'text-max-width': 8,
        },
        paint: {
          'text-color': now.name,
          'text-halo-color': now.halo,
          'text-halo-width': 1.2,
        },
      },
    ],
  };
}

export interface View {
  longitude: number;
  latitude: number;
  zoom: number;
}

export class Ground {
  readonly map: MapLibre;
  #fine = false;
  #theme: MutationObserver;
  #scheme = matchMedia('(prefers-color-scheme: dark)');

  constructor(
    place: HTMLElement,
    view: View | null,
    words: { label: string; controls: Record<string, string> },
  ) {
    this.map = new MapLibre({
      container: place,
      style: styleOf(),
      center: view ? [view.longitude, view.latitude] : [10, 49],
      zoom: view?.zoom ?? 3,
      minZoom: FARTHEST,
      maxZoom: NEAREST,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 120,
      locale: { 'Map.Title': words.label, ...words.controls },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
    this.#theme = new MutationObserver(this.#repaint);
    this.#theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    this.#scheme.addEventListener('change', this.#repaint);
    void this.map.once('load').then(() => this.#fill());
  }

  remove(): void {
    this.#theme.disconnect();
    this.#scheme.removeEventListener('change', this.#repaint);
    this.map.remove();
  }

  async #fill(): Promise<void> {
    this.#draw(await coarseWorld());
    const towns = await places();
    void this.#source('places')?.setData(towns);
    // For who takes pictures: drawing takes long without a graphics card.
    void this.map.once('idle').then(() => {
      this.map.getContainer().dataset['drawn'] = 'true';
    });
    const refine = () => {
      if (this.#fine || this.map.getZoom() < FINE_FROM_ZOOM) return;
      this.#fine = true;
      void fineWorld().then((world) => this.#draw(world));
    };
    this.map.on('zoomend', refine);
    refine();
  }

  #draw(world: World): void {
    void this.#source('land')?.setData(world.land);
    void this.#source('borders')?.setData(world.borders);
    void this.#source('coast')?.setData(world.coast);
  }

  /** Null when the map has been taken away in the meantime. */
  #source(name: string): GeoJSONSource | null {
    // Typed as never undefined, but a removed map has no style.
    const style = this.map.style as typeof this.map.style | undefined;
    const source = style ? this.map.getSource(name) : undefined;
    return source instanceof GeoJSONSource ? source : null;
  }

  #repaint = (): void => {
    const now = paint();
    this.map.setPaintProperty('sea', 'background-color', now.sea);
    this.map.setPaintProperty('land', 'fill-color', now.land);
    this.map.setPaintProperty('coast', 'line-color', now.coast);
    this.map.setPaintProperty('borders', 'line-color', now.border);
    this.map.setPaintProperty('places', 'text-color', now.name);
    this.map.setPaintProperty('places', 'text-halo-color', now.halo);
  };
}
