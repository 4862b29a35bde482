// Things, services and organisations at work with each other; each is a story of its own in `together.mjs` and `founded.mjs`.

import { sameInEveryMode, strangersStayOut } from "../founded.mjs";
import { close, network, open } from "../stage.mjs";
import { actByItself, liveAndEnd, reachBehindGateway, useEachOther } from "../together.mjs";

export const checks = {
  "the ledger acts by itself, and the pages say on what": () => actByItself({ network, open, close }),
  "devices and gateways use what others offer, and only as long as they may": () => useEachOther({ network, open, close }),
  "a contract lives from its code to its end by the command line": () => liveAndEnd({ network }),
  "a service reads and commands a device behind another organisation's gateway": () => reachBehindGateway({ network }),
  "a peer that has no seat is let in by nobody": () => strangersStayOut({ network }),
  "the same contract and sensor are at home in a public and a private ledger": () => sameInEveryMode({ network }),
};
