// Dates and times as the reader's language writes them; in Arabic in both calendars, the Hijri one named.
import { kept, language, t, type Key } from './words.svelte';

const gregorianMonths = Array.from({ length: 12 }, (_, i) => `month.${i + 1}` as Key);

function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return kept(`date ${locale} ${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(locale, options));
}

function hijri(d: Date, timeZone?: string): string {
  return dateFormat(`${language.locale}-ca-islamic-umalqura`, { day: 'numeric', month: 'long', year: 'numeric', timeZone }).format(d);
}

/** A day such as 2026-02-01, or a month or a year where no more is known; with a slash, from one to another. */
export function day(value: string): string {
  const [from, to] = value.split('/');
  if (from && to) return `${day(from)} – ${day(to)}`;
  const m = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?/.exec(value);
  if (!m) return value;
  const year = Number(m[1]);
  const locale = language.locale;
  const plain = (n: number) => kept('plain ' + locale, () => new Intl.NumberFormat(locale, { useGrouping: false })).format(n);
  if (!m[2]) return plain(year);
  const month = Number(m[2]);
  const date = new Date(Date.UTC(year, month - 1, Number(m[3] ?? 1)));
  if (language.current !== 'ar') {
    return dateFormat(language.locale, { day: m[3] ? 'numeric' : undefined, month: 'long', year: 'numeric', timeZone: 'UTC' }).format(date);
  }
  const name = t(gregorianMonths[month - 1] ?? 'month.1');
  if (!m[3]) return `${name} ${plain(year)}`;
  return t('date.both', { gregorian: `${plain(Number(m[3]))} ${name} ${plain(year)}`, hijri: hijri(date, 'UTC') });
}

/** A moment, in the reader's time zone, which is named. */
export function moment(value: string): string {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return value;
  const clock = dateFormat(language.locale, { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }).format(date);
  const pad = (n: number) => String(n).padStart(2, '0');
  return t('date.at', { day: day(`${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`), time: clock });
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [['year', 31557600], ['month', 2629800], ['day', 86400], ['hour', 3600], ['minute', 60]];

/** How long ago, or in how long. */
export function ago(value: string, now = Date.now()): string {
  const seconds = (new Date(value).getTime() - now) / 1000;
  const locale = language.locale;
  const format = kept('ago ' + locale, () => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return t('date.now');
}

/** An ISO 8601 period such as P6M or PT24H in words. */
export function period(value: string): string {
  const m = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(value);
  if (!m) return value;
  const units = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'];
  const parts = units.flatMap((unit, i) => (m[i + 1] ? [new Intl.NumberFormat(language.locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Number(m[i + 1]))] : []));
  return new Intl.ListFormat(language.locale, { type: 'unit' }).format(parts);
}
