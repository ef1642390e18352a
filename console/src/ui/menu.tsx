import type { LucideIcon } from 'lucide-react';
import {
  cloneElement,
  createContext,
  useContext,
  useState,
  type ReactElement,
  type ReactNode,
} from 'react';
import { classes } from './classes';

type Parts = typeof import('./menu-parts').Parts;

let parts: Parts | null = null;
const PartsContext = createContext<Parts | null>(null);

function useParts(): Parts {
  const found = useContext(PartsContext);
  if (!found) throw new Error('this belongs into a Menu');
  return found;
}

async function fetchParts(): Promise<Parts> {
  parts ??= (await import('./menu-parts')).Parts;
  return parts;
}

interface TriggerProps {
  onClick?: () => void;
  onPointerEnter?: () => void;
  onFocus?: () => void;
  'aria-haspopup'?: 'menu';
  'aria-expanded'?: boolean;
}

/** A menu of acts behind a button; what menus are made of is fetched when one is first wanted. */
export function Menu({
  trigger,
  children,
  align = 'end',
}: {
  trigger: ReactElement<TriggerProps>;
  children: ReactNode;
  align?: 'start' | 'end';
}) {
  const [ready, setReady] = useState(false);
  const [open, setOpen] = useState(false);
  if (!parts || !ready) {
    const prepare = () => void fetchParts();
    return cloneElement(trigger, {
      'aria-haspopup': 'menu',
      'aria-expanded': false,
      onPointerEnter: prepare,
      onFocus: prepare,
      onClick: () =>
        void fetchParts().then(() => {
          setReady(true);
          setOpen(true);
        }),
    });
  }
  return (
    <ReadyMenu parts={parts} trigger={trigger} align={align} open={open} onOpenChange={setOpen}>
      {children}
    </ReadyMenu>
  );
}

function ReadyMenu({
  parts: { Root, Trigger, Portal, Content },
  trigger,
  align,
  open,
  onOpenChange,
  children,
}: {
  parts: Parts;
  trigger: ReactElement<TriggerProps>;
  align: 'start' | 'end';
  open: boolean;
  onOpenChange: (open: boolean) => void;
  children: ReactNode;
}) {
  return (
    <Root open={open} modal={false} onOpenChange={onOpenChange}>
      <Trigger asChild>{trigger}</Trigger>
      <Portal>
        <Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="appear z-50 max-h-[70dvh] min-w-44 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-overlay"
        >
          <PartsContext value={parts}>{children}</PartsContext>
        </Content>
      </Portal>
    </Root>
  );
}

export function MenuItem({
  icon: Icon,
  children,
  onSelect,
  checked,
  destructive = false,
  disabled = false,
}: {
  icon?: LucideIcon;
  children: ReactNode;
  onSelect: () => void;
  checked?: boolean;
  destructive?: boolean;
  disabled?: boolean;
}) {
  const { Item, CheckboxItem } = useParts();
  const look = classes(
    'flex h-8 cursor-default items-center gap-2 rounded-md px-2 outline-none select-none data-[disabled]:opacity-50 data-[highlighted]:bg-hover',
    destructive && 'text-danger',
  );
  const inside = (
    <>
      {Icon && <Icon aria-hidden size={15} className={destructive ? undefined : 'text-muted'} />}
      <span className="flex-1">{children}</span>
      {checked && <span aria-hidden>✓</span>}
    </>
  );
  return checked === undefined ? (
    <Item className={look} onSelect={onSelect} disabled={disabled}>
      {inside}
    </Item>
  ) : (
    <CheckboxItem className={look} checked={checked} onSelect={onSelect} disabled={disabled}>
      {inside}
    </CheckboxItem>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  const { Label } = useParts();
  return <Label className="px-2 pt-2 pb-1 text-xs text-muted">{children}</Label>;
}

export function MenuDivider() {
  const { Separator } = useParts();
  return <Separator className="my-1 h-px bg-line" />;
}
