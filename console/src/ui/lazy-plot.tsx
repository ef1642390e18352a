import { lazy, Suspense, type ComponentProps } from 'react';

const Plot = lazy(async () => ({ default: (await import('./plot')).TimePlot }));

/** TimePlot, fetched when it is first shown; its place is kept free meanwhile. */
export function LazyPlot(props: ComponentProps<typeof Plot>) {
  const height = props.height === 'fill' ? undefined : (props.height ?? 220);
  return (
    <Suspense fallback={<div className="min-h-40 flex-1" style={{ height }} />}>
      <Plot {...props} />
    </Suspense>
  );
}
