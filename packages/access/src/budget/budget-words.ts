import type { RefusalLanguage } from '@postern/core'

/** What the page of a change or a read that was over its budget says. */
export interface BudgetWords {
  readonly change: string
  readonly read: string
  readonly unchanged: string
  /** Other transactions hold what is left, and nobody knows yet whether it is enough. */
  readonly held: string
  readonly heldDetail: string
  /** `{allowed}` and `{asked}` are counts of rows. */
  readonly left: string
  readonly leftToRead: string
  readonly more: Readonly<Record<'delay' | 'stepUp' | 'approval', string>>
  /** `{place}` is the address of the list. */
  readonly ask: string
}

export const BUDGET_WORDS: Readonly<Record<RefusalLanguage, BudgetWords>> = {
  en: {
    change: 'More than you may change at once',
    read: 'More than you may read at once',
    unchanged: 'Nothing was changed.',
    held: 'Try again',
    heldDetail: 'Other changes have not finished yet. Nothing was changed.',
    left: '{allowed} rows are left in this window, {asked} were to be changed.',
    leftToRead: '{allowed} rows are left to be read in this window, and this would have read more.',
    more: {
      delay: 'Retry later.',
      stepUp: 'Prove again that this is you.',
      approval: 'Ask a second person for an approval.',
    },
    ask: 'Go back and send it again, unchanged: then somebody is asked. Requests that wait are under {place}.',
  },
  de: {
    change: 'Mehr, als Sie auf einmal ändern dürfen',
    read: 'Mehr, als Sie auf einmal lesen dürfen',
    unchanged: 'Es wurde nichts geändert.',
    held: 'Versuchen Sie es noch einmal',
    heldDetail: 'Andere Änderungen sind noch nicht abgeschlossen. Es wurde nichts geändert.',
    left: 'In diesem Zeitraum sind noch {allowed} Zeilen frei, {asked} sollten geändert werden.',
    leftToRead:
      'In diesem Zeitraum dürfen noch {allowed} Zeilen gelesen werden, und hier wären es mehr gewesen.',
    more: {
      delay: 'Versuchen Sie es später noch einmal.',
      stepUp: 'Bestätigen Sie noch einmal, dass Sie es sind.',
      approval: 'Bitten Sie eine zweite Person um Zustimmung.',
    },
    ask: 'Gehen Sie zurück und senden Sie es unverändert noch einmal: Dann wird jemand gefragt. Wartende Anfragen stehen unter {place}.',
  },
  es: {
    change: 'Más de lo que puede cambiar de una vez',
    read: 'Más de lo que puede leer de una vez',
    unchanged: 'No se cambió nada.',
    held: 'Inténtelo de nuevo',
    heldDetail: 'Otros cambios aún no han terminado. No se cambió nada.',
    left: 'En este periodo quedan {allowed} filas; se iban a cambiar {asked}.',
    leftToRead: 'En este periodo quedan {allowed} filas por leer, y esto habría leído más.',
    more: {
      delay: 'Inténtelo más tarde.',
      stepUp: 'Confirme de nuevo que es usted.',
      approval: 'Pida la aprobación de otra persona.',
    },
    ask: 'Vuelva atrás y envíelo de nuevo sin cambios: entonces se preguntará a alguien. Las solicitudes en espera están en {place}.',
  },
  fr: {
    change: 'Plus que vous ne pouvez modifier en une fois',
    read: 'Plus que vous ne pouvez lire en une fois',
    unchanged: 'Rien n’a été modifié.',
    held: 'Réessayez',
    heldDetail: 'D’autres modifications ne sont pas encore terminées. Rien n’a été modifié.',
    left: 'Il reste {allowed} lignes pour cette période ; {asked} devaient être modifiées.',
    leftToRead:
      'Il reste {allowed} lignes à lire pour cette période, et cette demande en aurait lu davantage.',
    more: {
      delay: 'Réessayez plus tard.',
      stepUp: 'Confirmez de nouveau votre identité.',
      approval: 'Demandez l’accord d’une deuxième personne.',
    },
    ask: 'Revenez en arrière et envoyez de nouveau la demande, sans la modifier : quelqu’un sera alors consulté. Les demandes en attente se trouvent sous {place}.',
  },
  ja: {
    change: '一度に変更できる件数を超えています',
    read: '一度に読み取れる件数を超えています',
    unchanged: '何も変更されていません。',
    held: 'もう一度お試しください',
    heldDetail: 'ほかの変更がまだ終わっていません。何も変更されていません。',
    left: 'この期間に変更できるのはあと {allowed} 行ですが、{asked} 行を変更しようとしました。',
    leftToRead: 'この期間に読み取れるのはあと {allowed} 行ですが、それを超えて読み取ろうとしました。',
    more: {
      delay: 'しばらくしてからもう一度お試しください。',
      stepUp: 'ご本人であることをもう一度確認してください。',
      approval: 'もう一人の担当者の承認を得てください。',
    },
    ask: '前のページに戻り、内容を変えずにもう一度送信すると、担当者に承認が求められます。承認待ちの一覧は {place} にあります。',
  },
  ar: {
    change: 'أكثر مما يمكنك تغييره دفعة واحدة',
    read: 'أكثر مما يمكنك قراءته دفعة واحدة',
    unchanged: 'لم يتغير شيء.',
    held: 'حاول مرة أخرى',
    heldDetail: 'لم تنتهِ تغييرات أخرى بعد. لم يتغير شيء.',
    left: 'بقي {allowed} من الصفوف في هذه المدة، وكان المطلوب تغيير {asked}.',
    leftToRead: 'بقي {allowed} من الصفوف للقراءة في هذه المدة، وكان هذا الطلب سيقرأ أكثر.',
    more: {
      delay: 'حاول لاحقًا.',
      stepUp: 'أكّد هويتك مرة أخرى.',
      approval: 'اطلب موافقة شخص ثانٍ.',
    },
    ask: 'ارجع وأرسل الطلب مرة أخرى دون تغيير: عندئذٍ يُسأل شخص آخر. الطلبات المنتظرة موجودة في {place}.',
  },
}
