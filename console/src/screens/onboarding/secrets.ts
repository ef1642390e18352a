// Passwords that were made on this page, until it is closed: the server tells them once only.
const known = new Map<string, string>();

export const ENROLMENT = ' enrolment key';

export const keepSecret = (of: string, secret: string): void => void known.set(of, secret);
export const secretOf = (of: string): string | undefined => known.get(of);
