/** The words of the pages behind links in notifications, in English and Korean. */

const ENGLISH = {
  lang: 'en',
  triggered: 'Nobody has it yet',
  acknowledged: 'Acknowledged',
  suppressed: 'Suppressed',
  resolved: 'Resolved',
  acknowledge: 'Acknowledge',
  takeOver: 'Take it over',
  yourName: 'Your name',
  since: 'Since',
  value: 'Value',
  by: 'By',
  labels: 'Labels',
  timeline: 'Timeline',
  runbook: 'Runbook',
  low: 'low',
  medium: 'medium',
  high: 'high',
  critical: 'critical',
  expired: 'This link has expired. Open the newest notification, or Tyto itself.',
  unknown: 'There is no such incident, or the link is incomplete.',
  'not allowed': 'This link only shows the incident.',
  ago: 'ago',
  kinds: {} as Readonly<Record<string, string>>,
};

export type Words = typeof ENGLISH;

const KOREAN: Words = {
  lang: 'ko',
  triggered: '아직 아무도 확인하지 않았습니다',
  acknowledged: '확인됨',
  suppressed: '알림 억제 중',
  resolved: '해결됨',
  acknowledge: '확인하기',
  takeOver: '내가 넘겨받기',
  yourName: '이름',
  since: '시작',
  value: '값',
  by: '담당',
  labels: '레이블',
  timeline: '기록',
  runbook: '런북',
  low: '낮음',
  medium: '보통',
  high: '높음',
  critical: '심각',
  expired: '만료된 링크입니다. 가장 최근 알림이나 Tyto에서 여세요.',
  unknown: '그런 인시던트가 없거나 링크가 잘렸습니다.',
  'not allowed': '이 링크로는 인시던트를 볼 수만 있습니다.',
  ago: '전',
  kinds: {
    triggered: '발생',
    'alert joined': '알림 추가',
    'alert resolved': '알림 하나 해결',
    notified: '알림 보냄',
    'notification failed': '알림 실패',
    'not notified': '알리지 않음',
    acknowledged: '확인함',
    unacknowledged: '확인 취소',
    'acknowledgement expired': '확인 시간 만료',
    escalated: '다음 담당자에게',
    suppressed: '억제',
    'suppression ended': '억제 끝',
    reopened: '다시 발생',
    resolved: '해결',
    note: '메모',
    response: '자동 대응',
  },
};

export function languageOf(header: string | undefined): Words {
  let best = { language: 'en', quality: 0 };
  // More than a few languages is nobody's browser.
  for (const part of (header ?? '').split(',').slice(0, 20)) {
    const [tag, ...parameters] = part.trim().toLowerCase().split(';');
    const language = tag.split('-')[0];
    const given = parameters.find((one) => one.trim().startsWith('q='));
    const quality = given === undefined ? 1 : Number(given.trim().slice(2));
    const isKnown = language === 'en' || language === 'ko';
    if (isKnown && quality > best.quality) best = { language, quality };
  }
  return best.language === 'ko' ? KOREAN : ENGLISH;
}
