// Lines over time. Load it lazily where a screen may do without: it brings uPlot.
import { ChartLine, Download, Table2 } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useDark } from '@/app/theme';
import { locale, language } from '@/i18n';
import { clock, moment, number } from '@/i18n/quantity';
import { IconButton } from './button';
import { fileName, saveFile, toCsv } from './csv';
import { tUi } from './text';

export interface PlotSeries {
  label: string;
  /** A variable of tokens.css: `--plot-1`. */
  colour: string;
  fill?: boolean;
  /** Limits and set points hold until the next value. */
  stepped?: boolean;
  dashed?: boolean;
  /** Drawn against the right axis, in this unit. */
  rightUnit?: string;
  decimals?: number;
  /** The space between this line and the next one is filled: a band of what is likely. */
  band?: boolean;
}

export interface PlotData {
  /** Seconds since 1970, rising. */
  times: number[];
  /** One list per series; null is a gap. */
  values: (number | null)[][];
}

/** Take a colour of the tokens as the browser resolves it now. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** The number that uPlot has for an axis on the right; its own names exist in its types only. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
const RIGHT = 1 as uPlot.Axis.Side;

const hm = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const hms = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
const dm = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });

function tickTexts(_: uPlot, splits: number[]): string[] {
  const step = (splits[1] ?? 0) - (splits[0] ?? 0);
  const format = step >= 86_400 ? dm : step >= 60 ? hm : hms;
  return splits.map((split) => format.format(split * 1000));
}

export function TimePlot({
  label,
  unit,
  series,
  data,
  height = 220,
  from,
  to,
  name = 'plot',
}: {
  /** What is drawn, for those who cannot see it. */
  label: string;
  unit: string;
  series: PlotSeries[];
  data: PlotData;
  /** A number of pixels, or the height that the place gives. */
  height?: number | 'fill';
  /** The ends of the time axis; without them those of the data. */
  from?: number;
  to?: number;
  /** For the name of the file. */
  name?: string;
}) {
  const [asTable, setAsTable] = useState(false);
  const download = () =>
    saveFile(
      fileName(name),
      toCsv(
        [tUi('plot.time'), ...series.map((each) => `${each.label} (${each.rightUnit ?? unit})`)],
        data.times.map((time, index) => [
          new Date(time * 1000).toISOString(),
          ...data.values.map((values) => values[index]),
        ]),
      ),
    );
  return (
    <div className="group/plot relative flex min-h-0 flex-1 flex-col">
      <div className="no-print absolute -top-1 right-0 z-10 flex rounded-md bg-surface opacity-0 group-focus-within/plot:opacity-100 group-hover/plot:opacity-100">
        <IconButton
          icon={asTable ? ChartLine : Table2}
          label={tUi(asTable ? 'plot.as-plot' : 'plot.as-table')}
          onClick={() => setAsTable(!asTable)}
        />
        <IconButton icon={Download} label={tUi('csv')} onClick={download} />
      </div>
      {asTable ? (
        <PlotTable label={label} unit={unit} series={series} data={data} />
      ) : (
        <Canvas
          label={label}
          unit={unit}
          series={series}
          data={data}
          height={height}
          from={from}
          to={to}
        />
      )}
      {series.length > 1 && !asTable && (
        <ul className="flex flex-wrap gap-x-4 gap-y-1 pt-2 text-xs text-muted">
          {series.map((each) => (
            <li key={each.label} className="inline-flex items-center gap-1.5">
              <span
                aria-hidden
                className="inline-block w-4 border-t-2"
                style={{
                  borderColor: `var(${each.colour})`,
                  borderStyle: each.dashed ? 'dashed' : 'solid',
                }}
              />
              {each.label}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Canvas({
  label,
  unit,
  series,
  data,
  height,
  from,
  to,
}: {
  label: string;
  unit: string;
  series: PlotSeries[];
  data: PlotData;
  height: number | 'fill';
  from: number | undefined;
  to: number | undefined;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const ends = useRef({ from, to });
  const latest = useRef(data);
  const dark = useDark();
  const shape = useMemo(() => JSON.stringify({ unit, series }), [unit, series]);
  const last = data.values[0]?.findLast((value) => value !== null);

  useEffect(() => {
    ends.current = { from, to };
    latest.current = data;
    plot.current?.setData([data.times, ...data.values] as uPlot.AlignedData);
  }, [data, from, to]);

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const wanted = JSON.parse(shape) as { unit: string; series: PlotSeries[] };
    const right = wanted.series.find((each) => each.rightUnit)?.rightUnit;
    const axis = {
      stroke: colourOf(element, '--muted'),
      font: "11px 'Inter Variable', sans-serif",
      grid: { stroke: colourOf(element, '--plot-grid'), width: 1 },
      ticks: { show: false },
    };
    const scaleOf = (each: PlotSeries) => (each.rightUnit ? 'right' : 'left');
    const decimals = (step: number) =>
      [0, 1].find(
        (places) => Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) < 1e-6,
      ) ?? 2;
    const texts = (ending: string) => (_: uPlot, splits: number[]) => {
      const places = decimals((splits[1] ?? 1) - (splits[0] ?? 0));
      return splits.map((split) => `${number(split, places)} ${ending}`);
    };
    // uPlot gives null where there is no value at all, whatever its types say.
    const zeroBased = (_: uPlot, least: number | null, most: number | null): [number, number] => [
      Math.min(0, least ?? 0),
      most === null || most <= 0 ? 1 : most * 1.08,
    ];
    const made = new uPlot(
      {
        width: element.clientWidth || 400,
        height: element.clientHeight || 200,
        padding: [8, right ? 0 : 20, 0, 0],
        legend: { show: false },
        cursor: { points: { size: 7 }, drag: { x: false, y: false } },
        scales: {
          x: {
            time: true,
            range: (_: uPlot, least: number | null, most: number | null): [number, number] => [
              ends.current.from ?? least ?? 0,
              ends.current.to ?? most ?? 1,
            ],
          },
          left: { range: zeroBased },
          right: { range: () => [0, 100] },
        },
        axes: [
          { ...axis, size: 26, space: 70, values: tickTexts },
          { ...axis, scale: 'left', size: 62, space: 34, values: texts(wanted.unit) },
          ...(right
            ? [
                {
                  ...axis,
                  scale: 'right',
                  side: RIGHT,
                  size: 46,
                  space: 40,
                  grid: { show: false },
                  values: texts(right),
                },
              ]
            : []),
        ],
        series: [
          {},
          ...wanted.series.map((each) => ({
            label: each.label,
            scale: scaleOf(each),
            stroke: colourOf(element, each.colour),
            width: 1.75,
            spanGaps: false,
            points: { show: false },
            ...(each.fill ? { fill: colourOf(element, `${each.colour}-fill`) } : {}),
            ...(each.dashed ? { dash: [5, 4] } : {}),
            ...(each.stepped && uPlot.paths.stepped
              ? { paths: uPlot.paths.stepped({ align: 1 }) }
              : {}),
          })),
        ],
        bands: wanted.series.flatMap((each, at) =>
          each.band
            ? [
                {
                  series: [at + 1, at + 2] as [number, number],
                  fill: colourOf(element, `${each.colour}-fill`),
                },
              ]
            : [],
        ),
        hooks: { setCursor: [(shown) => tell(shown, wanted)] },
      },
      [latest.current.times, ...latest.current.values] as uPlot.AlignedData,
      element,
    );
    const tip = document.createElement('div');
    tip.className =
      'pointer-events-none absolute z-20 hidden rounded-md border border-line bg-raised px-2 py-1 text-xs whitespace-nowrap shadow-overlay tabular';
    made.over.append(tip);
    function tell(shown: uPlot, drawn: { unit: string; series: PlotSeries[] }) {
      const index = shown.cursor.idx;
      const time = index == null ? undefined : shown.data[0][index];
      if (index == null || time === undefined) {
        tip.style.display = 'none';
        return;
      }
      const lines = drawn.series.map((each, at) => {
        const value = shown.data[at + 1]?.[index];
        return `${each.label}: ${value == null ? '–' : `${number(value, each.decimals ?? 1)} ${each.rightUnit ?? drawn.unit}`}`;
      });
      tip.replaceChildren(
        ...[clock(time * 1000), ...lines].map((text, at) => {
          const line = document.createElement('div');
          line.textContent = text;
          if (at === 0) line.className = 'text-muted';
          return line;
        }),
      );
      tip.style.display = 'block';
      const left = shown.cursor.left ?? 0;
      const flip = left > shown.over.clientWidth / 2;
      tip.style.left = flip ? '' : `${left + 12}px`;
      tip.style.right = flip ? `${shown.over.clientWidth - left + 12}px` : '';
      tip.style.top = '8px';
    }
    plot.current = made;
    const watch = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientHeight > 0) {
        made.setSize({ width: element.clientWidth, height: element.clientHeight });
      }
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, dark]);

  return (
    <div
      ref={place}
      role="img"
      aria-label={
        last == null ? label : `${label}. ${tUi('plot.newest')}: ${number(last, 1)} ${unit}`
      }
      lang={language}
      className={height === 'fill' ? 'relative min-h-40 flex-1' : 'relative'}
      style={height === 'fill' ? undefined : { height }}
    />
  );
}

function PlotTable({
  label,
  unit,
  series,
  data,
}: {
  label: string;
  unit: string;
  series: PlotSeries[];
  data: PlotData;
}) {
  const newest = data.times.map((_, index) => index).slice(-200);
  return (
    <div
      role="region"
      aria-label={label}
      tabIndex={0}
      className="max-h-72 min-h-0 flex-1 overflow-auto"
    >
      <table className="w-full text-xs tabular">
        <thead className="sticky top-0 bg-surface text-left text-muted">
          <tr>
            <th className="py-1 font-medium">{tUi('plot.time')}</th>
            {series.map((each) => (
              <th key={each.label} className="py-1 text-right font-medium">
                {each.label} ({each.rightUnit ?? unit})
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {newest.toReversed().map((index) => (
            <tr key={data.times[index]} className="border-t border-line">
              <td className="py-1">{moment((data.times[index] ?? 0) * 1000)}</td>
              {series.map((each, at) => {
                const value = data.values[at]?.[index];
                return (
                  <td key={each.label} className="py-1 text-right">
                    {value == null ? '–' : number(value, each.decimals ?? 1)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
