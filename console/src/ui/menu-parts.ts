// What menus are made of, in a file of its own: it is fetched when a menu is first wanted.
export { DropdownMenu as Parts } from 'radix-ui';
