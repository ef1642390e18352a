// Firmware as the server keeps it, and which stations it is for.
import { queryOptions } from '@tanstack/react-query';
import { allPages, api, data, Problem, readProblem, type Schemas } from './client';
import type { LiveStation } from '@/live/types';

export type Image = Schemas['Firmware'];

export const imagesQuery = queryOptions({
  queryKey: ['firmware'],
  queryFn: () =>
    allPages((cursor) =>
      data(api.GET('/api/v1/firmware', { params: { query: { limit: 1000, cursor } } })),
    ),
});

export const imageQuery = (id: string) =>
  queryOptions({
    queryKey: ['firmware', id],
    queryFn: () =>
      data(api.GET('/api/v1/firmware/{image_id}', { params: { path: { image_id: id } } })),
    enabled: id !== '',
  });

/** Whether firmware is for a station's make: empty model, all of the vendor. Letter case does not matter. */
export function isFor(image: Image, station: Pick<LiveStation, 'vendor' | 'model'>): boolean {
  const same = (a: string, b: string) => a.trim().toLowerCase() === b.trim().toLowerCase();
  return same(image.vendor, station.vendor) && (!image.model || same(image.model, station.model));
}

/** The stations that firmware is for and that do not run it. */
export function behind(image: Image, stations: LiveStation[]): LiveStation[] {
  return stations.filter(
    (station) => isFor(image, station) && station.firmware_version !== image.version,
  );
}

export const imageName = (image: Image): string =>
  [image.vendor, image.model, image.version].filter(Boolean).join(' ');

/** The SHA-256 of a file in hexadecimal; null where the browser does not tell (no secure context). */
export async function sha256(file: File): Promise<string | null> {
  // Plain http on another host than this machine is no secure context, and has no `subtle`.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return null;
  const digest = new Uint8Array(await subtle.digest('SHA-256', await file.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Upload the file of firmware, telling how far it is (0 to 1). Throws a Problem when it is refused. */
export function upload(
  imageId: string,
  file: File,
  checksum: string | null,
  tell: (share: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', `/api/v1/firmware/${imageId}/content`);
    request.setRequestHeader('X-Pilotwire', '1');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    if (checksum) request.setRequestHeader('X-Checksum-Sha256', checksum);
    request.upload.onprogress = (event) => tell(event.loaded / Math.max(1, event.total));
    request.onerror = () => reject(new Problem(0, 'error', '', '', []));
    request.onload = () => {
      if (request.status < 300) {
        resolve();
        return;
      }
      void readProblem(request.status, request.responseText).then(reject);
    };
    request.send(file);
  });
}
