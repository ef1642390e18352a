export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg aria-hidden width={size} height={size} viewBox="0 0 32 32" className="shrink-0">
      <rect width="32" height="32" rx="7" fill="#0b5fd6" />
      <path d="M18.5 4 8 18h6.5L13 28l11-15h-7z" fill="#fff" />
    </svg>
  );
}
