/** All pages but the first, which come together when one of them is needed. */

export { AccessPage as access } from "./access.tsx";
export { BlockPage as block } from "./block.tsx";
export { ContractPage as contract, Contracts as contracts } from "./contracts.tsx";
export { EntityPage as entity } from "./entity.tsx";
export { GovernancePage as governance } from "./governance.tsx";
export { Ledger as ledger } from "./ledger.tsx";
export { LinksPage as links } from "./links.tsx";
export { Operations as operations } from "./operations.tsx";
export { Procedures as procedures } from "./procedures.tsx";
export { RangePage as range, ReadingPage as reading } from "./reading.tsx";
export { ServicePage as service, Services as services } from "./services.tsx";
export { Sign as sign } from "./sign.tsx";
export { ThingPage as thing } from "./thing.tsx";
export { Things as things } from "./things.tsx";
export { AccountPage as account, Tokens as tokens } from "./tokens.tsx";
export { TransactionPage as transaction } from "./transaction.tsx";
export { VerifyPage as verify } from "./verify.tsx";
export { RunPage as run } from "./run.tsx";
export { TriggerPage as trigger } from "./trigger.tsx";
