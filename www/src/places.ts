// Shows which origin is whose.

import { byId, element } from "./dom.js";

export function renderPlaces(places: Record<string, string>): void {
  const rows = Object.entries({ "This page": location.origin, ...places }).map(([name, origin]) => {
    const heading = element("th", name);
    heading.scope = "row";
    return element("tr", heading, element("td", element("code", origin)));
  });
  byId("places").replaceChildren(...rows);
}
