// Which stations a campaign begins with: those that firmware is for and that do not run it yet.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLive } from '@/live/hooks';
import { live } from '@/live/store';
import { behind, imageQuery, type Image } from '@/api/firmware';

export interface Campaign {
  image: Image;
  stations: string[];
}

/** Give firmware and the stations that are behind it, once both are known; `from` is a version that they run. */
export function useCampaign(imageId: string | undefined, from: string | undefined) {
  const image = useQuery(imageQuery(imageId ?? '')).data;
  const ready = useLive((store) => store.ready);
  const [campaign, setCampaign] = useState<Campaign | null>(null);
  useEffect(() => {
    if (!image || !ready) return;
    const stations = behind(image, live.list()).filter(
      (station) => from === undefined || station.firmware_version === from,
    );
    setCampaign({ image, stations: stations.map((station) => station.id) });
  }, [image, ready, from]);
  return campaign;
}
