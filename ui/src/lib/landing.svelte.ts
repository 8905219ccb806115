// An address may name a place on its screen. What is there comes later than the screen: it is scrolled to once.
import { decode, route } from './router.svelte';

export function landing(there: () => unknown) {
  let landed: string | undefined;
  $effect(() => {
    if (landed === route.path || !there()) return;
    landed = route.path;
    if (location.hash) document.getElementById(decode(location.hash.slice(1)))?.scrollIntoView();
  });
}
