/*
 * Menus of the page's head. A browser keeps <details> open; these close by a click
 * elsewhere or on what they offer, and by Escape, which returns to their name.
 */
export function closeMenus() {
  for (const menu of document.querySelectorAll('.menu')) {
    document.addEventListener('click', e => {
      if (!menu.contains(e.target) || e.target.closest('.pop button'))
        menu.open = false;
    });
    menu.addEventListener('keydown', e => {
      if (e.key !== 'Escape' || !menu.open)
        return;
      menu.open = false;
      menu.querySelector('summary').focus();
    });
  }
}
