/** Languages of refusals. */
export type RefusalLanguage = 'en' | 'de' | 'es' | 'fr' | 'ja' | 'ar'
