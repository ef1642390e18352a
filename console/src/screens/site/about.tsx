import { useQuery } from '@tanstack/react-query';
import { Mail, Pencil, Phone } from 'lucide-react';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import type { Schemas } from '@/api/client';
import { useMay } from '@/api/me';
import { joined, NOTHING, number, power } from '@/i18n/quantity';
import { locale } from '@/i18n';
import { countryName } from '@/screens/sites/country';
import { t } from '@/screens/sites/text';
import { IconButton } from '@/ui/button';
import { Facts, Tags } from '@/ui/facts';
import { ErrorState, LoadingRows } from '@/ui/states';
import { DAYS, writeSpans } from './hours';
import { siteQuery } from './query';

const SiteForm = lazy(() =>
  import('@/screens/sites/site-form').then((found) => ({ default: found.SiteForm })),
);
const HoursForm = lazy(() =>
  import('./hours-form').then((found) => ({ default: found.HoursForm })),
);
const ContactsForm = lazy(() =>
  import('./contacts-form').then((found) => ({ default: found.ContactsForm })),
);
const GridForm = lazy(() => import('./grid-form').then((found) => ({ default: found.GridForm })));

type Site = Schemas['Site'];
const FORMS = { place: SiteForm, hours: HoursForm, contacts: ContactsForm, grid: GridForm };
type Form = keyof typeof FORMS;

/** All that is kept of a site, each part with its form. */
export function SiteAbout({ siteId }: { siteId: string }) {
  const site = useQuery(siteQuery(siteId));
  const mayChange = useMay('change_stations');
  const [form, setForm] = useState<Form | null>(null);
  if (site.isError) return <ErrorState error={site.error} onRetry={() => void site.refetch()} />;
  if (!site.data) return <LoadingRows />;
  const found = site.data;
  const Shown = form && FORMS[form];
  const part = (name: Form, content: ReactNode) => (
    <section className="min-w-0">
      <div className="flex h-9 items-center justify-between border-b border-line">
        <h2 className="text-sm">{t(`part.${name}`)}</h2>
        {mayChange && (
          <IconButton icon={Pencil} label={t(`edit.${name}`)} onClick={() => setForm(name)} />
        )}
      </div>
      {content}
    </section>
  );
  return (
    <div
      role="region"
      aria-label={t('tab.about')}
      tabIndex={0}
      className="min-h-0 flex-1 overflow-y-auto px-4 py-2 focus-visible:-outline-offset-2"
    >
      <div className="grid grid-cols-1 gap-x-10 gap-y-4 lg:grid-cols-2">
        {part('place', <Place site={found} />)}
        {part('hours', <Hours site={found} />)}
        {part('grid', <Grid site={found} />)}
        {part('contacts', <Contacts site={found} />)}
      </div>
      {Shown && (
        <Suspense>
          <Shown site={found} onClose={() => setForm(null)} />
        </Suspense>
      )}
    </div>
  );
}

function Nothing({ children }: { children: ReactNode }) {
  return <p className="py-2 text-muted">{children}</p>;
}

function Place({ site }: { site: Site }) {
  return (
    <>
      <Facts
        lines={[
          [t('form.address'), site.address],
          [t('form.city'), site.city],
          [t('country.label'), countryName(site.country)],
          [
            t('form.coordinates'),
            site.latitude !== null &&
              site.longitude !== null &&
              `${number(site.latitude, 5)} / ${number(site.longitude, 5)}`,
          ],
          [t('form.zone'), site.time_zone],
          [t('column.tags'), site.tags.length > 0 && <Tags tags={site.tags} />],
        ]}
      />
      {site.access_notes && (
        <p className="mt-2 rounded-md bg-sunken px-3 py-2 whitespace-pre-line">
          {site.access_notes}
        </p>
      )}
    </>
  );
}

function Hours({ site }: { site: Site }) {
  const hours = site.opening_hours;
  if (!hours) return <Nothing>{t('hours.none')}</Nothing>;
  const dayName = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: 'UTC' });
  return (
    <>
      {hours.always_open ? (
        <p className="py-2">{t('hours.always')}</p>
      ) : (
        <Facts
          lines={DAYS.map((day) => [
            t(`day.${day}`),
            writeSpans(hours.weekdays?.[day]) || <span className="text-muted">{t('closed')}</span>,
          ])}
        />
      )}
      {hours.exceptions && hours.exceptions.length > 0 && (
        <>
          <h3 className="pt-2 text-xs text-muted">{t('hours.exceptions')}</h3>
          <Facts
            lines={hours.exceptions.map((each) => [
              dayName.format(new Date(each.date)),
              [writeSpans(each.hours) || t('closed'), each.note].filter(Boolean).join(', '),
            ])}
          />
        </>
      )}
    </>
  );
}

function Grid({ site }: { site: Site }) {
  const grid = site.grid_connection;
  if (!grid) return <Nothing>{t('grid.none')}</Nothing>;
  const amperes = [grid.limit_l1_a, grid.limit_l2_a, grid.limit_l3_a];
  return (
    <Facts
      lines={[
        [t('grid.limit_kw'), grid.limit_kw != null && joined(power(grid.limit_kw * 1000))],
        [
          t('grid.amperes'),
          amperes.some((each) => each != null) &&
            `${amperes.map((each) => (each == null ? NOTHING : number(each))).join(' / ')} A`,
        ],
        [t('grid.voltage_v'), grid.voltage_v != null && `${number(grid.voltage_v)} V`],
        [t('grid.metering_point'), grid.metering_point],
      ]}
    />
  );
}

function Contacts({ site }: { site: Site }) {
  if (site.contacts.length === 0) return <Nothing>{t('contacts.none')}</Nothing>;
  return (
    <ul className="flex flex-col">
      {site.contacts.map((contact, index) => (
        <li key={index} className="border-b border-line py-1.5 last:border-0">
          <p>
            <span className="text-muted">{contact.role}</span>{' '}
            <span className="font-medium">{contact.name}</span>
          </p>
          <p className="flex flex-wrap gap-x-4">
            {contact.phone && (
              <a
                href={`tel:${contact.phone.replaceAll(' ', '')}`}
                className="inline-flex min-h-6 items-center gap-1 hover:underline"
              >
                <Phone aria-hidden size={13} className="text-muted" />
                {contact.phone}
              </a>
            )}
            {contact.email && (
              <a
                href={`mailto:${contact.email}`}
                className="inline-flex min-h-6 items-center gap-1 hover:underline"
              >
                <Mail aria-hidden size={13} className="text-muted" />
                {contact.email}
              </a>
            )}
          </p>
          {contact.note && <p className="text-xs text-muted">{contact.note}</p>}
        </li>
      ))}
    </ul>
  );
}
