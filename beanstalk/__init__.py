"""Elastic Beanstalk: the bundle and its checks, the IAM policy, the Launch URL, the CloudFormation template."""
