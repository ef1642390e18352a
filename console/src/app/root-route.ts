// The root of all addresses. Screens hang their routes on it; app/router.tsx gives it its frame.
import { createRootRoute } from '@tanstack/react-router';

export const rootRoute = createRootRoute();
