// The live picture as the server tells it: GET /api/v1/live/snapshot and the ticks of /api/v1/live/stream.
import type { Reason } from '@/api/told';

export interface LiveEvse {
  id: number;
  status: string;
  connector_status: string[];
  power_w: number;
  energy_wh: number;
  error_code?: string;
  session_id?: string | null;
  soc?: number | null;
  token_uid?: string | null;
  started_at?: string | null;
}

export interface LiveStation {
  id: string;
  name: string;
  site_id: string | null;
  site: string | null;
  vendor: string;
  model: string;
  ocpp_version: string | null;
  firmware_version: string;
  connected: boolean;
  admission: string;
  status: string;
  last_seen_at: string | null;
  power_w: number;
  tags: string[];
  evses: LiveEvse[];
}

export interface LiveFigures {
  power_w: number;
  charging: number;
  sessions_active: number;
  energy_today_wh: number;
  sessions_today: number;
  online: number;
  total: number;
  faulted: number;
  pending: number;
  statuses: Record<string, number>;
  evse_statuses: Record<string, number>;
  attention: Record<string, number>;
}

/** Something that needs a person. */
export interface LiveMatter {
  kind: string;
  station_id: string;
  site_id?: string | null;
  since?: string | null;
  evse_id?: number | null;
  session_id?: string | null;
  detail?: string;
  reason?: Reason | null;
}

export interface LiveEvent {
  kind?: string;
  type?: string;
  station_id?: string;
  at?: string;
  [field: string]: unknown;
}

export interface Snapshot {
  id: string;
  at: string;
  stations: LiveStation[];
  kpi: LiveFigures;
  attention: LiveMatter[];
}

export interface Tick {
  at: string;
  stations?: Record<string, Partial<LiveStation>>;
  removed?: string[];
  kpi?: Partial<LiveFigures>;
  attention?: LiveMatter[];
  events?: LiveEvent[];
}

/** `lost`: nothing has come for five seconds; `refused`: who is signed in may not look, or is signed out. */
export type Link = 'connecting' | 'live' | 'lost' | 'refused';

/** What the feed tells the page. */
export type FeedMessage =
  | { kind: 'snapshot'; snapshot: Snapshot; history: PowerPoint[] }
  | { kind: 'tick'; tick: Tick }
  | { kind: 'link'; link: Link; status: number | null };

/** What the page tells the feed. */
export type PageMessage = { kind: 'hello' } | { kind: 'restart' } | { kind: 'goodbye' };

/** The network's power at a moment: [seconds since 1970, watts]. */
export type PowerPoint = [number, number];
