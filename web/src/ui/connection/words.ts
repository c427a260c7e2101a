/** The words of the test of one's connection: they come with it, not with the first load. */
import { language, type Language } from "../settings.svelte";
import { counter } from "../words/plural";

const [one, ru, fr] = [counter("en"), counter("ru"), counter("fr")];

const en = {
  intro:
    "This tries which ways calls can take from this device. It takes less than a minute; the browser may ask for camera and microphone. Nothing is recorded.",
  begin: "Begin the test",
  again: "Test again",
  running: "Testing…",
  copyReport: "Copy report",
  copied: "The report is copied. It names addresses of this device: give it to who helps you.",
  states: { waiting: "waits", running: "is tried", ok: "works", failed: "does not work" },
  ms: (ms: string) => `${ms} ms`,
  steps: {
    server: "The server",
    camera: "Camera",
    microphone: "Microphone",
    addresses: "Addresses of this device",
    direct: "A direct connection",
    stun: "How the world sees this device (STUN)",
    unknown: "An address without a meaning",
  },
  relay: { udp: "The relay over UDP", tcp: "The relay over TCP", tls: "The relay over TLS" },
  mayAsk: "The browser may be asking you to allow it.",
  works: { camera: "It works.", microphone: "It works." },
  problems: {
    camera: {
      refused: "The browser does not let this page use it. Allow it in the address bar.",
      missing: "None was found: others would not see you.",
      busy: "It is in use by another program.",
    },
    microphone: {
      refused: "The browser does not let this page use it. Allow it in the address bar.",
      missing: "None was found: others would not hear you.",
      busy: "It is in use by another program.",
    },
  },
  server: (count: number) =>
    count === 0
      ? "It answers. It names no STUN and no TURN server."
      : one(count, {
          one: "It answers, and names # STUN or TURN server.",
          other: "It answers, and names # STUN and TURN servers.",
        }),
  noServer: "It does not answer. Look whether this device is online.",
  addresses: (count: number) =>
    one(count, { one: "This device offers # address to others.", other: "This device offers # addresses to others." }),
  noAddress: "The browser offers no address: something forbids it, such as an extension or a VPN.",
  direct: "Two ends on this device reach each other by UDP.",
  noDirect: "Not even two ends on this device reach each other: something forbids UDP here.",
  seen: (addresses: string) => `It sees this device at ${addresses}; so can others, unless a firewall forbids it.`,
  seenAsIs: "It sees this device at an address of its own: nothing translates addresses between.",
  noStun: "It does not answer. It may be down, or a firewall lets no UDP through.",
  noUrl: "This is no address of a STUN or TURN server: a mistake in the settings of the server.",
  relays: (place: string) => `It relays by ${place}, there and back.`,
  deadRelay: (place: string) =>
    `It gives a place at ${place}, but nothing comes through there: its relay ports may be closed.`,
  noRelay: "It gives no place: it may be down, or a firewall is between.",
  noTls:
    "It gives no place: it may be down, a firewall may be between, or its certificate is not one that browsers trust.",
  refused: (code: number) =>
    `It refuses (${code}): its secret is not that of the home server, or one of the two clocks is wrong.`,
  broke: (error: string) => `The attempt broke off: ${error}`,
  verdicts: {
    both: "Calls work directly, and through the relay where a firewall forbids that.",
    direct: "Calls work directly.",
    relay: "Calls work through the relay only.",
    near: "Calls work within your own network only.",
    none: "No path was found: calls cannot work from here.",
    "no-server": "The server cannot be reached.",
    "no-webrtc": "This browser cannot make calls.",
  },
  next: {
    both: "There is nothing to do.",
    direct:
      "With people behind strict firewalls they may fail, as there is no relay. The administrator of this server can set one up (TURN).",
    directBadRelay:
      "With people behind strict firewalls they may fail, as no relay works. Give the report to the administrator of this server.",
    relay:
      "Something here lets no direct path out. Sound and picture take a detour, which may be a little slower. Otherwise there is nothing to do.",
    near: "For calls with people elsewhere the server needs STUN, and TURN for strict firewalls. Ask its administrator to name them with --stun and --turn; “veche doctor calls” says there what works.",
    none: "Try another network. If that does not help, ask the administrator of this server for a relay (TURN), best over TLS on port 443; “veche doctor calls” says there what works.",
    "no-server": "Look whether this device is online, then test again.",
    "no-webrtc": "WebRTC is missing or switched off. Use a newer browser, or allow it in the settings.",
  },
};

type Connection = typeof en;

const russian: Connection = {
  intro:
    "Здесь проверяется, какими путями звонки могут идти с этого устройства. Это займёт меньше минуты; браузер может спросить о камере и микрофоне. Ничего не записывается.",
  begin: "Начать проверку",
  again: "Проверить снова",
  running: "Идёт проверка…",
  copyReport: "Скопировать отчёт",
  copied: "Отчёт скопирован. В нём есть адреса этого устройства: отдайте его тому, кто вам помогает.",
  states: { waiting: "ждёт", running: "проверяется", ok: "работает", failed: "не работает" },
  ms: (ms) => `${ms} мс`,
  steps: {
    server: "Сервер",
    camera: "Камера",
    microphone: "Микрофон",
    addresses: "Адреса этого устройства",
    direct: "Прямое соединение",
    stun: "Каким видит это устройство мир (STUN)",
    unknown: "Непонятный адрес",
  },
  relay: { udp: "Посредник по UDP", tcp: "Посредник по TCP", tls: "Посредник по TLS" },
  mayAsk: "Возможно, браузер ждёт вашего разрешения.",
  works: { camera: "Работает.", microphone: "Работает." },
  problems: {
    camera: {
      refused: "Браузер не разрешает её этой странице. Разрешите в адресной строке.",
      missing: "Не найдена: вас не увидят.",
      busy: "Занята другой программой.",
    },
    microphone: {
      refused: "Браузер не разрешает его этой странице. Разрешите в адресной строке.",
      missing: "Не найден: вас не услышат.",
      busy: "Занят другой программой.",
    },
  },
  server: (count) =>
    count === 0
      ? "Отвечает. Серверов STUN и TURN не называет."
      : ru(count, {
          one: "Отвечает и называет # сервер STUN или TURN.",
          few: "Отвечает и называет # сервера STUN и TURN.",
          other: "Отвечает и называет # серверов STUN и TURN.",
        }),
  noServer: "Не отвечает. Проверьте, есть ли у этого устройства сеть.",
  addresses: (count) =>
    ru(count, {
      one: "Это устройство предлагает другим # адрес.",
      few: "Это устройство предлагает другим # адреса.",
      other: "Это устройство предлагает другим # адресов.",
    }),
  noAddress: "Браузер не предлагает ни одного адреса: что-то запрещает это, например расширение или VPN.",
  direct: "Два конца на этом устройстве находят друг друга по UDP.",
  noDirect: "Даже два конца на этом устройстве не находят друг друга: что-то запрещает здесь UDP.",
  seen: (addresses) => `Он видит это устройство по адресу ${addresses}; увидят и другие, если не помешает брандмауэр.`,
  seenAsIs: "Он видит это устройство по его собственному адресу: между ними адреса никто не меняет.",
  noStun: "Не отвечает. Возможно, он выключен или брандмауэр не пропускает UDP.",
  noUrl: "Это не адрес сервера STUN или TURN: ошибка в настройках сервера.",
  relays: (place) => `Передаёт через ${place} туда и обратно.`,
  deadRelay: (place) => `Даёт место ${place}, но через него ничего не проходит: возможно, закрыты его порты.`,
  noRelay: "Не даёт места: возможно, он выключен или мешает брандмауэр.",
  noTls: "Не даёт места: возможно, он выключен, мешает брандмауэр или браузер не доверяет его сертификату.",
  refused: (code) =>
    `Отказывает (${code}): его секрет не тот, что у домашнего сервера, или одни из двух часов неверны.`,
  broke: (error) => `Попытка прервалась: ${error}`,
  verdicts: {
    both: "Звонки работают напрямую, а где брандмауэр не даёт — через посредника.",
    direct: "Звонки работают напрямую.",
    relay: "Звонки работают только через посредника.",
    near: "Звонки работают только внутри вашей сети.",
    none: "Пути не нашлось: отсюда звонки работать не могут.",
    "no-server": "Сервер недоступен.",
    "no-webrtc": "Этот браузер не умеет звонить.",
  },
  next: {
    both: "Ничего делать не нужно.",
    direct:
      "С людьми за строгими брандмауэрами они могут не удаться: посредника нет. Администратор этого сервера может его поставить (TURN).",
    directBadRelay:
      "С людьми за строгими брандмауэрами они могут не удаться: ни один посредник не работает. Отдайте отчёт администратору этого сервера.",
    relay:
      "Что-то здесь не выпускает прямые соединения. Звук и изображение идут в обход, это может быть чуть медленнее. Больше ничего делать не нужно.",
    near: "Для звонков в другие сети серверу нужен STUN, а для строгих брандмауэров — TURN. Попросите администратора указать их через --stun и --turn; «veche doctor calls» покажет там, что работает.",
    none: "Попробуйте другую сеть. Если не поможет, попросите у администратора этого сервера посредника (TURN), лучше всего по TLS на порту 443; «veche doctor calls» покажет там, что работает.",
    "no-server": "Проверьте, есть ли у этого устройства сеть, и повторите проверку.",
    "no-webrtc": "WebRTC нет или он выключен. Возьмите браузер поновее или разрешите WebRTC в настройках.",
  },
};

const french: Connection = {
  intro:
    "On essaie ici les chemins que les appels peuvent prendre depuis cet appareil. Cela dure moins d’une minute ; le navigateur peut demander la caméra et le micro. Rien n’est enregistré.",
  begin: "Commencer le test",
  again: "Tester à nouveau",
  running: "Test en cours…",
  copyReport: "Copier le rapport",
  copied: "Le rapport est copié. Il contient des adresses de cet appareil : donnez-le à qui vous aide.",
  states: { waiting: "attend", running: "est essayé", ok: "fonctionne", failed: "ne fonctionne pas" },
  ms: (ms) => `${ms} ms`,
  steps: {
    server: "Le serveur",
    camera: "Caméra",
    microphone: "Micro",
    addresses: "Adresses de cet appareil",
    direct: "Une connexion directe",
    stun: "Comment le monde voit cet appareil (STUN)",
    unknown: "Une adresse sans signification",
  },
  relay: { udp: "Le relais par UDP", tcp: "Le relais par TCP", tls: "Le relais par TLS" },
  mayAsk: "Le navigateur vous demande peut-être de l’autoriser.",
  works: { camera: "Elle fonctionne.", microphone: "Il fonctionne." },
  problems: {
    camera: {
      refused: "Le navigateur la refuse à cette page. Autorisez-la dans la barre d’adresse.",
      missing: "Aucune n’a été trouvée : on ne vous verrait pas.",
      busy: "Elle est utilisée par un autre programme.",
    },
    microphone: {
      refused: "Le navigateur le refuse à cette page. Autorisez-le dans la barre d’adresse.",
      missing: "Aucun n’a été trouvé : on ne vous entendrait pas.",
      busy: "Il est utilisé par un autre programme.",
    },
  },
  server: (count) =>
    count === 0
      ? "Il répond. Il ne nomme aucun serveur STUN ni TURN."
      : fr(count, {
          one: "Il répond et nomme # serveur STUN ou TURN.",
          other: "Il répond et nomme # serveurs STUN et TURN.",
        }),
  noServer: "Il ne répond pas. Regardez si cet appareil est en ligne.",
  addresses: (count) =>
    fr(count, {
      one: "Cet appareil offre # adresse aux autres.",
      other: "Cet appareil offre # adresses aux autres.",
    }),
  noAddress: "Le navigateur n’offre aucune adresse : quelque chose l’interdit, comme une extension ou un VPN.",
  direct: "Deux extrémités sur cet appareil se joignent par UDP.",
  noDirect: "Même deux extrémités sur cet appareil ne se joignent pas : quelque chose interdit UDP ici.",
  seen: (addresses) => `Il voit cet appareil à ${addresses} ; les autres aussi, sauf si un pare-feu l’interdit.`,
  seenAsIs: "Il voit cet appareil à sa propre adresse : rien ne traduit les adresses entre les deux.",
  noStun: "Il ne répond pas. Il est peut-être arrêté, ou un pare-feu ne laisse pas passer UDP.",
  noUrl: "Ce n’est pas l’adresse d’un serveur STUN ou TURN : une erreur dans les réglages du serveur.",
  relays: (place) => `Il relaie par ${place}, aller et retour.`,
  deadRelay: (place) => `Il donne une place à ${place}, mais rien n’y passe : ses ports sont peut-être fermés.`,
  noRelay: "Il ne donne pas de place : il est peut-être arrêté, ou un pare-feu est entre vous.",
  noTls:
    "Il ne donne pas de place : il est peut-être arrêté, un pare-feu est entre vous, ou son certificat n’est pas reconnu des navigateurs.",
  refused: (code) =>
    `Il refuse (${code}) : son secret n’est pas celui du serveur, ou une des deux horloges est fausse.`,
  broke: (error) => `L’essai s’est interrompu : ${error}`,
  verdicts: {
    both: "Les appels passent directement, et par le relais là où un pare-feu l’interdit.",
    direct: "Les appels passent directement.",
    relay: "Les appels passent par le relais seulement.",
    near: "Les appels ne passent que dans votre propre réseau.",
    none: "Aucun chemin trouvé : les appels ne peuvent pas passer d’ici.",
    "no-server": "Le serveur est injoignable.",
    "no-webrtc": "Ce navigateur ne sait pas faire d’appels.",
  },
  next: {
    both: "Il n’y a rien à faire.",
    direct:
      "Avec des gens derrière des pare-feu stricts ils peuvent échouer, car il n’y a pas de relais. L’administrateur de ce serveur peut en installer un (TURN).",
    directBadRelay:
      "Avec des gens derrière des pare-feu stricts ils peuvent échouer, car aucun relais ne fonctionne. Donnez le rapport à l’administrateur de ce serveur.",
    relay:
      "Quelque chose ici ne laisse sortir aucun chemin direct. Le son et l’image font un détour, peut-être un peu plus lent. Sinon, il n’y a rien à faire.",
    near: "Pour appeler ailleurs, le serveur a besoin de STUN, et de TURN pour les pare-feu stricts. Demandez à son administrateur de les nommer avec --stun et --turn ; « veche doctor calls » y dit ce qui fonctionne.",
    none: "Essayez un autre réseau. Si cela n’aide pas, demandez à l’administrateur de ce serveur un relais (TURN), de préférence par TLS sur le port 443 ; « veche doctor calls » y dit ce qui fonctionne.",
    "no-server": "Regardez si cet appareil est en ligne, puis testez à nouveau.",
    "no-webrtc": "WebRTC manque ou est désactivé. Prenez un navigateur plus récent, ou autorisez-le dans les réglages.",
  },
};

const CATALOGUES: Record<Language, Connection> = { en, ru: russian, fr: french };

/** What is read of it in a component is followed when the language changes. */
export const words = new Proxy({} as Connection, {
  get: (_, name) => CATALOGUES[language()][name as keyof Connection],
});
