// What the grid connection costs, and what stations may draw by themselves.
import type { Schemas } from '@/api/client';
import { Panel } from '@/ui/page';
import { priceUnit } from './lines';
import { Amount, Hours, Words } from './parts';
import type { Tree } from './questions';
import { t } from './text';

type Contract = Schemas['ContractGiven'];

const CURRENCY = /^[A-Z]{3}$/;

export function Contract({ tree, onTree }: { tree: Tree; onTree: (tree: Tree) => void }) {
  const contract = tree.contract ?? {};
  const currency = contract.currency ?? 'EUR';
  const unit = CURRENCY.test(currency) ? priceUnit(currency) : '';
  const change = (fields: Partial<Contract>) =>
    onTree({ ...tree, contract: { ...contract, ...fields } });
  return (
    <Panel title={t('contract')}>
      <div className="flex flex-col gap-4">
        <div className="grid grid-cols-[repeat(auto-fill,minmax(150px,1fr))] items-start gap-3">
          <Words
            label={t('contract.currency')}
            value={currency}
            error={CURRENCY.test(currency) ? undefined : t('contract.currency.bad')}
            onValue={(text) => change({ currency: text.toUpperCase() })}
          />
          <Amount
            label={t('contract.price', { unit })}
            value={contract.price_per_kwh ?? 0.25}
            empty={0}
            onValue={(price) => change({ price_per_kwh: price ?? 0 })}
          />
          <Amount
            label={t('contract.feed', { unit })}
            value={contract.feed_in_price_per_kwh ?? 0}
            empty={0}
            onValue={(price) => change({ feed_in_price_per_kwh: price ?? 0 })}
          />
          <Amount
            label={t('contract.demand', { currency })}
            hint={t('contract.demand.hint')}
            value={contract.demand_price_per_kw ?? 0}
            empty={0}
            onValue={(price) => change({ demand_price_per_kw: price ?? 0 })}
          />
          <Amount
            label={t('contract.share')}
            hint={t('contract.share.hint')}
            value={Math.round((tree.offline?.share ?? 0.5) * 1000) / 10}
            empty={50}
            onValue={(share) =>
              onTree({ ...tree, offline: { ...tree.offline, share: (share ?? 50) / 100 } })
            }
          />
        </div>
        <Hours
          label={t('contract.hours')}
          add={t('contract.hours.add')}
          parts={contract.hours ?? []}
          fresh={{ since: '22:00', until: '06:00', price_per_kwh: contract.price_per_kwh ?? 0.25 }}
          onParts={(hours) => change({ hours })}
        >
          {(part, put) => (
            <div className="w-28">
              <Amount
                label={unit || t('contract.hours.price')}
                value={part.price_per_kwh}
                empty={0}
                onValue={(price) => put({ price_per_kwh: price ?? 0 })}
              />
            </div>
          )}
        </Hours>
      </div>
    </Panel>
  );
}
