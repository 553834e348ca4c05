// The gallery's long list, scrolled.

/** Scrolls to a share of the list, and waits until all tiles are where one looks and have their pictures. */
export async function scroll_to(page, share, timeout = 60_000) {
  await page.locator('.long-room').evaluate((room, share) => { room.scrollTop = share * room.scrollHeight; }, share);
  await page.waitForFunction(() => {
    const room = document.querySelector('.long-room').getBoundingClientRect();
    const seen = [...document.querySelectorAll('.tiles.long > li')].filter((tile) => {
      const { top, bottom } = tile.getBoundingClientRect();
      return top < room.bottom && bottom > room.top;
    });
    return seen.length > 3 && seen.every((tile) => !tile.querySelector('.photo.waiting'));
  }, undefined, { timeout });
}
