// The whole page at `silentRedirectUri`: it needs no client and no engine, and asks nobody.

import { relayCallback } from "wardkey";

void relayCallback();
