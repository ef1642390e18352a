// Before the first paint: the chosen look, so that nothing flashes. The console sets the same in src/app/theme.ts.
try {
  var look = localStorage.getItem('pilotwire.theme');
  if (look === 'light' || look === 'dark') document.documentElement.dataset.theme = look;
  document.documentElement.lang = localStorage.getItem('pilotwire.language') || 'en';
} catch (refused) {
  console.debug('no local storage: the look of the system holds', refused);
}
