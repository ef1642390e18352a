import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { Schemas } from '@/api/client';
import { saveSite } from '@/screens/sites/site-form';
import { t } from '@/screens/sites/text';
import { Button } from '@/ui/button';
import { Field, Input } from '@/ui/fields';
import { FormDialog } from '@/ui/form';

type Site = Schemas['Site'];
const FIELDS = ['role', 'name', 'phone', 'email', 'note'] as const;
type Filled = Record<(typeof FIELDS)[number], string>;
const EMPTY: Filled = { role: '', name: '', phone: '', email: '', note: '' };
const MOST = 20;

/** Who is to be asked about a site. */
export function ContactsForm({ site, onClose }: { site: Site; onClose: () => void }) {
  const [contacts, setContacts] = useState<Filled[]>(() =>
    site.contacts.length > 0 ? site.contacts.map((each) => ({ ...EMPTY, ...each })) : [EMPTY],
  );
  const change = (index: number, next: Partial<Filled>) =>
    setContacts((all) => all.map((each, place) => (place === index ? { ...each, ...next } : each)));
  const filled = contacts.filter((each) => FIELDS.some((field) => each[field].trim()));
  return (
    <FormDialog
      title={t('contacts.edit')}
      action={t('save')}
      wide
      disabled={filled.some((each) => !each.role.trim())}
      onClose={onClose}
      onSubmit={async () => {
        await saveSite(site, { name: site.name, contacts: filled });
        onClose();
      }}
    >
      {() => (
        <>
          {contacts.map((each, index) => (
            <fieldset key={index} className="grid gap-2 border-b border-line pb-3 sm:grid-cols-3">
              <legend className="sr-only">{t('contacts.number', { number: index + 1 })}</legend>
              {FIELDS.map((field) => (
                <Field key={field} label={t(`contact.${field}`)}>
                  <Input
                    value={each[field]}
                    maxLength={200}
                    autoComplete="off"
                    type={field === 'email' ? 'email' : field === 'phone' ? 'tel' : 'text'}
                    placeholder={field === 'role' ? t('contact.role.example') : undefined}
                    onChange={(event) => change(index, { [field]: event.target.value })}
                  />
                </Field>
              ))}
              <Button
                icon={Trash2}
                look="quiet"
                className="self-end justify-self-start"
                onClick={() => setContacts((all) => all.filter((_, place) => place !== index))}
              >
                {t('contacts.remove')}
              </Button>
            </fieldset>
          ))}
          {contacts.length < MOST && (
            <Button
              icon={Plus}
              className="self-start"
              onClick={() => setContacts((all) => [...all, EMPTY])}
            >
              {t('contacts.add')}
            </Button>
          )}
        </>
      )}
    </FormDialog>
  );
}
