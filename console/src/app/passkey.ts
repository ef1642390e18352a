// Signing in with a passkey: the browser asks the device, the server checks its answer.
import { api, data } from '@/api/client';
import type { Me } from '@/api/me';

type Json = Parameters<typeof PublicKeyCredential.parseRequestOptionsFromJSON>[0];

/** Passkeys need a secure page, and a browser that reads their options as JSON. */
export function canUsePasskeys(): boolean {
  return (
    isSecureContext &&
    typeof PublicKeyCredential !== 'undefined' &&
    'parseRequestOptionsFromJSON' in PublicKeyCredential
  );
}

/** Sign in; null when whoever was asked has thought better of it. */
export async function signInWithPasskey(): Promise<Me | null> {
  const begun = await data(api.POST('/api/v1/login/passkey/options'));
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(
    begun.options as unknown as Json,
  );
  let credential: Credential | null;
  try {
    credential = await navigator.credentials.get({ publicKey });
  } catch (fault) {
    if (fault instanceof DOMException && fault.name === 'NotAllowedError') return null;
    throw fault;
  }
  if (!(credential instanceof PublicKeyCredential)) return null;
  return data(
    api.POST('/api/v1/login/passkey', {
      body: { step: begun.step, credential: credential.toJSON() as Record<string, unknown> },
    }),
  );
}
