// The worker's script, which can send streams over HTTP/1.1.

import "./buffering.js";
import "./vault.js";
