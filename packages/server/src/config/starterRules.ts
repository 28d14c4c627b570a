/** The rules that Tyto starts with when nobody gave it a file: what ails a machine, in plain words. */
export const STARTER_RULES_FILE = 'built-in rules';

export const STARTER_RULES = `
groups:
- name: machine
  rules:
  - alert: TargetDown
    expr: up == 0
    for: 1m
    labels: {severity: critical}
    annotations:
      summary: '{{ $labels.job }} on {{ $labels.instance }} does not answer'
      description: 'No scrape has worked for more than a minute. The Targets page shows the error.'
  - alert: CpuSaturated
    expr: 1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])) > 0.9
    for: 10m
    labels: {severity: warning}
    annotations:
      summary: 'CPU of {{ $labels.instance }} is {{ $value | humanizePercentage }} busy'
      description: 'For more than ten minutes less than a tenth of the processors has been idle.'
  - alert: MemoryAlmostFull
    expr: 1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > 0.92
    for: 5m
    labels: {severity: critical}
    annotations:
      summary: 'Memory of {{ $labels.instance }} is {{ $value | humanizePercentage }} used'
      description: 'The kernel will soon kill processes to get memory back.'
  - alert: DiskAlmostFull
    expr: |
      1 - node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs|overlay"}
        / node_filesystem_size_bytes{fstype!~"tmpfs|ramfs|squashfs|overlay"} > 0.9
      and node_filesystem_readonly{fstype!~"tmpfs|ramfs|squashfs|overlay"} == 0
    for: 5m
    labels: {severity: warning}
    annotations:
      summary: '{{ $labels.mountpoint }} on {{ $labels.instance }} is {{ $value | humanizePercentage }} full'
      description: 'Less than a tenth of the file system is left.'
  - alert: DiskFullSoon
    expr: |
      predict_linear(node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs|overlay"}[1h], 4 * 3600) < 0
      and node_filesystem_avail_bytes offset 45m
      and node_filesystem_readonly{fstype!~"tmpfs|ramfs|squashfs|overlay"} == 0
    for: 15m
    labels: {severity: critical}
    annotations:
      summary: '{{ $labels.mountpoint }} on {{ $labels.instance }} will be full within four hours'
      description: 'At the pace of the last hour no space will be left.'
  - alert: NetworkErrors
    expr: rate(node_network_receive_errs_total[5m]) + rate(node_network_transmit_errs_total[5m]) > 1
    for: 10m
    labels: {severity: warning}
    annotations:
      summary: 'Network interface {{ $labels.device }} of {{ $labels.instance }} has errors'
      description: '{{ $value | humanize }} errors a second for more than ten minutes.'
- name: tyto
  rules:
  - alert: TytoConfigurationRefused
    expr: prometheus_config_last_reload_successful == 0
    for: 1m
    labels: {severity: warning}
    annotations:
      summary: 'Tyto runs with an old configuration'
      description: 'The last reload was refused; the log says where the mistake is.'
  - alert: TytoLogNotWritten
    expr: increase(prometheus_tsdb_wal_writes_failed_total[5m]) > 0
    labels: {severity: critical}
    annotations:
      summary: 'Tyto cannot write its log'
      description: 'The disk is full or failing: samples wait in memory.'
  - alert: NotificationsFailing
    expr: increase(alertmanager_notifications_failed_total[10m]) > 0
    labels: {severity: critical}
    annotations:
      summary: 'Notifications by {{ $labels.integration }} fail'
      description: 'Somebody may not have been told of an alert. The log has the reason.'
`;
