// Notifications as they come. The stream and the pop-ups follow.
"use strict";
