// What others ask of a site: who limits it, which programmes it follows, and what came of their events.
import { GridLimits } from './grid-limits';
import { DemandEvents } from './demand-events';
import { Programmes } from './programmes';

export function Outside({ siteId }: { siteId: string }) {
  return (
    <>
      <div className="grid shrink-0 items-start gap-3 xl:grid-cols-2">
        <GridLimits siteId={siteId} />
        <Programmes siteId={siteId} />
      </div>
      <DemandEvents siteId={siteId} />
    </>
  );
}
