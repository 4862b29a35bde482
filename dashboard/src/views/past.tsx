/** What changed something, newest first: transactions with what each brought about there. */

import { tagged, type Event as Happening, type Page as Items, type Time } from "../lib/model.ts";
import { href } from "../router.ts";
import { At, Card, Height } from "../ui/basics.tsx";
import { List } from "../ui/record.tsx";
import { Event } from "../ui/tagged.tsx";

/** A transaction of the past of something. */
interface PastItem {
  height: number;
  time: Time;
  transaction: string;
  events: Happening[];
}

export function Past({ ask }: { ask: (page: { after?: string }, opts: { signal?: AbortSignal }) => Promise<Items<PastItem>> }) {
  return (
    <Card title="History" note="newest first">
      <List name={`past ${location.pathname}`} ask={ask} empty="Nothing yet.">
        {(one) => (
          <>
            {one.events.map((event, at) => <div key={at}><Event of={tagged(event)} /></div>)}
            <span class="muted">block <Height height={one.height} />, <At time={one.time} />{" · "}{one.events[0]?.type === "trigger_ran" ? <a href={href.run(one.events[0].trigger, one.height)}>cause and proof</a> : <a href={href.transaction(one.transaction, one.height)}>transaction</a>}</span>
          </>
        )}
      </List>
    </Card>
  );
}
