/** The words of off-the-record sessions: they come with them, not with the first load. */
import { language, type Language } from "../settings.svelte";

const en = {
  title: (name: string) => `Off the record with ${name}`,
  promise:
    "Encrypted from device to device, and stored nowhere: it vanishes when you put it away, or close or reload this page.",
  asks: (name: string) => `${name} wants to talk off the record`,
  asksText: "From device to device. Nothing is stored, neither here nor on the server.",
  kind: "Off the record",
  waiting: "Waiting for a yes…",
  connecting: "Connecting…",
  open: "Connected",
  ended: "Ended",
  end: "End",
  askAgain: "Ask again",
  ask: "Ask for one",
  putAway: "Put away",
  nothing: (name: string) => `There is no off-the-record session with ${name}. Nothing of an earlier one was kept.`,
  write: "Say something off the record",
  notSent: "It was not sent: it is too long, or they take nothing at the moment. Try again.",
  tookBack: (name: string) => `${name} no longer waits for your answer.`,
  hasSaid: (name: string) => `${name} has said something off the record`,
  declined: (name: string) => `${name} does not want to talk off the record now.`,
  byThem: (name: string) => `${name} has ended it.`,
  byMe: "You have ended it.",
  left: (name: string) => `${name} has signed out or closed the page.`,
  gone: (name: string) => `The connection to ${name} was lost.`,
  offline: (name: string) => `${name} is not there now.`,
  noAnswer: (name: string) => `${name} did not answer.`,
  noPath: (name: string) => `No way from this device to that of ${name} was found.`,
  serverLost: "The server cannot be reached, so nobody can be asked now.",
  test: "Test my connection",
};

type Private = typeof en;

const russian: Private = {
  title: (name) => `Разговор без записи: ${name}`,
  promise:
    "Шифруется от устройства к устройству и нигде не хранится: исчезнет, когда вы уберёте разговор, закроете или обновите страницу.",
  asks: (name) => `${name} предлагает поговорить без записи`,
  asksText: "От устройства к устройству. Ничего не сохраняется — ни здесь, ни на сервере.",
  kind: "Без записи",
  waiting: "Ждём согласия…",
  connecting: "Соединение…",
  open: "Соединено",
  ended: "Завершено",
  end: "Завершить",
  askAgain: "Предложить снова",
  ask: "Предложить разговор",
  putAway: "Убрать",
  nothing: (name) => `Разговора без записи сейчас нет: ${name}. От прежнего ничего не осталось.`,
  write: "Скажите без записи",
  notSent: "Не отправлено: слишком длинно, или собеседник сейчас ничего не принимает. Попробуйте снова.",
  tookBack: (name) => `${name} больше не ждёт ответа.`,
  hasSaid: (name) => `${name}: новое сообщение без записи`,
  declined: (name) => `${name} сейчас не хочет говорить без записи.`,
  byThem: (name) => `${name} завершает разговор.`,
  byMe: "Вы завершили разговор.",
  left: (name) => `${name} выходит или закрывает страницу.`,
  gone: (name) => `Связь потеряна: ${name}.`,
  offline: (name) => `${name} сейчас не в сети.`,
  noAnswer: (name) => `${name} не отвечает.`,
  noPath: (name) => `Не найден путь от этого устройства к устройству собеседника: ${name}.`,
  serverLost: "Сервер недоступен, поэтому сейчас некого спросить.",
  test: "Проверить соединение",
};

const french: Private = {
  title: (name) => `Sans trace avec ${name}`,
  promise:
    "Chiffré d’appareil à appareil et conservé nulle part : tout disparaît quand vous rangez la conversation, fermez ou rechargez cette page.",
  asks: (name) => `${name} veut parler sans trace`,
  asksText: "D’appareil à appareil. Rien n’est conservé, ni ici ni sur le serveur.",
  kind: "Sans trace",
  waiting: "En attente d’un oui…",
  connecting: "Connexion…",
  open: "Connecté",
  ended: "Terminé",
  end: "Terminer",
  askAgain: "Demander à nouveau",
  ask: "En demander une",
  putAway: "Ranger",
  nothing: (name) => `Il n’y a pas de conversation sans trace avec ${name}. Rien d’une précédente n’a été gardé.`,
  write: "Dites quelque chose sans trace",
  notSent: "Non envoyé : c’est trop long, ou l’autre ne reçoit rien pour l’instant. Réessayez.",
  tookBack: (name) => `${name} n’attend plus votre réponse.`,
  hasSaid: (name) => `${name} a dit quelque chose sans trace`,
  declined: (name) => `${name} ne veut pas parler sans trace maintenant.`,
  byThem: (name) => `${name} y a mis fin.`,
  byMe: "Vous y avez mis fin.",
  left: (name) => `${name} s’est déconnecté ou a fermé la page.`,
  gone: (name) => `La connexion avec ${name} est perdue.`,
  offline: (name) => `${name} n’est pas là.`,
  noAnswer: (name) => `${name} n’a pas répondu.`,
  noPath: (name) => `Aucun chemin de cet appareil vers celui de ${name} n’a été trouvé.`,
  serverLost: "Le serveur est injoignable : personne ne peut être demandé maintenant.",
  test: "Tester ma connexion",
};

const CATALOGUES: Record<Language, Private> = { en, ru: russian, fr: french };

/** What is read of it in a component is followed when the language changes. */
export const words = new Proxy({} as Private, {
  get: (_, name) => CATALOGUES[language()][name as keyof Private],
});
