// Making a passkey: the browser asks the device, the server keeps its public half.
import { api, data } from '@/api/client';
import { t } from './text';

type Json = Parameters<typeof PublicKeyCredential.parseCreationOptionsFromJSON>[0];

/** Make a passkey; false when whoever was asked has thought better of it. */
export async function makePasskey(name: string): Promise<boolean> {
  if (
    !isSecureContext ||
    typeof PublicKeyCredential === 'undefined' ||
    !('parseCreationOptionsFromJSON' in PublicKeyCredential)
  ) {
    throw new Error(t('passkey.cannot'));
  }
  const begun = await data(api.POST('/api/v1/me/passkeys/options'));
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(
    begun.options as unknown as Json,
  );
  let credential: Credential | null;
  try {
    credential = await navigator.credentials.create({ publicKey });
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === 'NotAllowedError') return false;
    throw fault;
  }
  if (!(credential instanceof PublicKeyCredential)) return false;
  await api.POST('/api/v1/me/passkeys', {
    body: { step: begun.step, credential: credential.toJSON() as Record<string, unknown>, name },
  });
  return true;
}
