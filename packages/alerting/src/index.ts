export { expandRuleTemplate } from './template/ruleTemplate.ts';
